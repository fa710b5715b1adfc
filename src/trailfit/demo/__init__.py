"""A small organisation made up, with ground truth: demo, benchmarks, proving ground."""
