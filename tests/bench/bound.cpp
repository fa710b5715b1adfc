// The bound: libdeflate and simdjson's whole DOM over every gzip file named on standard input; prints the bytes inflated.
//   c++ -std=c++17 -O3 tests/bench/bound.cpp -lsimdjson -ldeflate -o bound && find LOGS -name '*.gz' | ./bound
#include <libdeflate.h>
#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

int main() {
  libdeflate_decompressor* inflater = libdeflate_alloc_decompressor();
  simdjson::dom::parser parser;
  std::vector<char> plain;
  std::string path;
  size_t bytes = 0, records = 0;
  while (std::getline(std::cin, path)) {
    std::ifstream file(path, std::ios::binary);
    const std::string data{std::istreambuf_iterator<char>(file), {}};
    uint32_t size;
    std::memcpy(&size, data.data() + data.size() - 4, 4);
    if (plain.size() < size + simdjson::SIMDJSON_PADDING) plain.resize(size + simdjson::SIMDJSON_PADDING);
    size_t made;
    if (libdeflate_gzip_decompress(inflater, data.data(), data.size(), plain.data(), size, &made)) return 1;
    simdjson::dom::array found;
    if (parser.parse(plain.data(), made, false)["Records"].get(found)) return 1;
    records += found.size();
    bytes += made;
  }
  libdeflate_free_decompressor(inflater);
  std::printf("%zu records, %zu bytes\n", records, bytes);
}
