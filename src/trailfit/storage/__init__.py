"""Where bytes lie, a folder or a bucket, and who may write there: beneath the lake, and beneath reading logs."""
