// Words with codes, and columns of texts as Arrow lays them out.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trailfit {

using Text = std::string_view;

// Distinct words with codes 0, 1, 2, … in the order in which they were first seen.
class Words {
 public:
  int32_t code(Text word) {
    const uint64_t hash = std::hash<Text>{}(word);
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const int32_t found = slots_[at];
      if (found < 0) return learn(word, hash, at);
      if (hashes_[found] == hash && (*this)[found] == word) return found;
    }
  }
  bool has(Text word) const {
    const uint64_t hash = std::hash<Text>{}(word);
    for (size_t at = hash & mask_; slots_[at] >= 0; at = (at + 1) & mask_)
      if (hashes_[slots_[at]] == hash && (*this)[slots_[at]] == word) return true;
    return false;
  }
  Text operator[](int32_t code) const { return Text(bytes).substr(ends[code], ends[code + 1] - ends[code]); }
  int32_t size() const { return static_cast<int32_t>(hashes_.size()); }
  void clear() { *this = Words(); }

  std::vector<int64_t> ends{0};
  std::string bytes;

 private:
  int32_t learn(Text word, uint64_t hash, size_t at) {
    const int32_t code = size();
    slots_[at] = code;
    hashes_.push_back(hash);
    bytes.append(word);
    ends.push_back(static_cast<int64_t>(bytes.size()));
    if (hashes_.size() * 2 > slots_.size()) grow();
    return code;
  }
  void grow() {
    slots_.assign(slots_.size() * 4, -1);
    mask_ = slots_.size() - 1;
    for (int32_t code = 0; code < size(); ++code) {
      size_t at = hashes_[code] & mask_;
      while (slots_[at] >= 0) at = (at + 1) & mask_;
      slots_[at] = code;
    }
  }
  std::vector<int32_t> slots_ = std::vector<int32_t>(1024, -1);
  std::vector<uint64_t> hashes_;
  size_t mask_ = 1023;
};

// A column of texts as Arrow lays it out; a null text has no bytes and a cleared bit.
struct Texts {
  std::vector<int32_t> ends{0};
  std::string bytes;
  std::vector<uint8_t> valid;

  void add(Text text, bool is_valid) {
    const size_t row = ends.size() - 1;
    if (row % 8 == 0) valid.push_back(0);
    if (is_valid) valid.back() |= static_cast<uint8_t>(1u << (row % 8));
    bytes.append(text);
    ends.push_back(static_cast<int32_t>(bytes.size()));
  }
  Text operator[](size_t row) const { return Text(bytes).substr(ends[row], ends[row + 1] - ends[row]); }
  void cut(size_t rows) {
    ends.resize(rows + 1);
    bytes.resize(ends.back());
    valid.resize((rows + 7) / 8);
    if (rows % 8) valid.back() &= static_cast<uint8_t>((1u << (rows % 8)) - 1);
  }
};

}  // namespace trailfit
