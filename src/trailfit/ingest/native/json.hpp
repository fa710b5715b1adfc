// JSON: the check of a document's grammar, and the reading of what was checked.
//
// simdjson finds the tokens and checks UTF-8 (its first stage, public in dom_parser_implementation); the walk checks the
// grammar. Every token must end where the next begins, so a span of the text is known to be compact.

#pragma once

#include <cctype>
#include <cstdint>
#include <cstring>

#include "words.hpp"

namespace trailfit {

// Beyond these an object is declined. The second keeps numbers to those that every reader takes for the same.
constexpr int kDeepest = 60;
constexpr size_t kLongestNumber = 15;

struct Declined {};

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_string(Text text) { return !text.empty() && text[0] == '"'; }
inline bool is_null(Text text) { return text.empty() || text == "null"; }
inline Text inside(Text quoted) { return quoted.substr(1, quoted.size() - 2); }

// Checks one document token by token, as far as simdjson's first stage has not.
class Walk {
 public:
  Walk(const char* text, size_t size, const uint32_t* tokens, size_t count)
      : text_(text), size_(size), tokens_(tokens), count_(count) {
    seek_escape(0);
  }
  bool ended() const { return next_ == count_; }
  char peek() const { return next_ < count_ ? text_[tokens_[next_]] : '\0'; }
  size_t position() const { return next_ < count_ ? tokens_[next_] : size_; }

  void expect(char wanted) {
    if (peek() != wanted) throw Declined();
    const size_t at = tokens_[next_++];
    if (!ended() && position() != at + 1) throw Declined();
  }
  // Takes a comma and tells true, or the `last` token and tells false.
  bool more(char last) {
    if (peek() == ',') return expect(','), true;
    return expect(last), false;
  }
  Text string() {
    if (peek() != '"') throw Declined();
    const Text token = take();
    if (token.size() < 2 || token.back() != '"') throw Declined();
    if (escape_ < token.data() + token.size()) check_escapes(token);
    return token;
  }
  Text value() {
    const size_t start = position();
    char open[kDeepest];
    int depth = 0;
    do {
      switch (peek()) {
        case '{':
        case '[':
          if (depth == kDeepest) throw Declined();
          open[depth] = peek();
          expect(open[depth]);
          if (peek() != open[depth] + 2) {  // '{' + 2 is '}', '[' + 2 is ']'
            if (open[depth++] == '{') key();
            continue;
          }
          expect(peek());
          break;
        case '"': string(); break;
        default: scalar();
      }
      while (depth > 0) {
        if (more(static_cast<char>(open[depth - 1] + 2))) {
          if (open[depth - 1] == '{') key();
          break;
        }
        --depth;
      }
    } while (depth > 0);
    return Text(text_ + start, position() - start);
  }
  Text plain_key() {
    const char* before = escape_;
    const Text found = key();
    if (escape_ != before) throw Declined();
    return found;
  }
  Text key() {
    const Text found = string();
    expect(':');
    return inside(found);
  }

 private:
  Text take() {
    const size_t start = tokens_[next_++];
    return Text(text_ + start, position() - start);
  }
  void scalar() {
    if (ended()) throw Declined();
    const Text token = take();
    if (token == "null" || token == "true" || token == "false") return;
    if (token.size() > kLongestNumber) throw Declined();
    size_t at = token[0] == '-';
    const auto digits = [&] {
      const size_t before = at;
      while (at < token.size() && is_digit(token[at])) ++at;
      if (at == before) throw Declined();
      return before;
    };
    const size_t whole = digits();
    if (token[whole] == '0' && at > whole + 1) throw Declined();
    if (at < token.size() && token[at] == '.') ++at, digits();
    if (at != token.size()) throw Declined();
  }
  void seek_escape(size_t from) {
    const void* found = memchr(text_ + from, '\\', size_ - from);
    escape_ = found ? static_cast<const char*>(found) : text_ + size_;
  }
  void check_escapes(Text token) {
    const char* end = token.data() + token.size() - 1;
    while (escape_ < end) {
      const char* after = escape_ + 2;
      if (escape_[1] == 'u') {
        const int half = surrogate(after, end);
        after += 4;
        // Half a character comes only with its other half.
        if (half == 2) throw Declined();
        if (half == 1) {
          if (end - after < 6 || after[0] != '\\' || after[1] != 'u' || surrogate(after + 2, end) != 2) throw Declined();
          after += 6;
        }
      } else if (escape_[1] == '\0' || !strchr("\"\\/bfnrt", escape_[1])) {
        throw Declined();
      }
      seek_escape(static_cast<size_t>(after - text_));
    }
  }
  // Tells whether four hexadecimal digits are a first (1) or second (2) half of a character.
  static int surrogate(const char* digits, const char* end) {
    if (end - digits < 4) throw Declined();
    for (int digit = 0; digit < 4; ++digit)
      if (!isxdigit(static_cast<unsigned char>(digits[digit]))) throw Declined();
    if ((digits[0] | 32) != 'd' || digits[1] < '8') return 0;
    return digits[1] == '8' || digits[1] == '9' || (digits[1] | 32) == 'a' || (digits[1] | 32) == 'b' ? 1 : 2;
  }
  const char* text_;
  size_t size_;
  const uint32_t* tokens_;
  size_t count_;
  size_t next_ = 0;
  const char* escape_ = nullptr;
};

// Reads compact JSON that `Walk` has checked: strings with their quotes, scalars, and single characters.
class Tokens {
 public:
  explicit Tokens(Text text) : text_(text) {}
  Text next() {
    if (at_ == text_.size()) return {};
    const size_t start = at_++;
    if (text_[start] == '"') {
      while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
      ++at_;
    } else if (!strchr("{}[]:,", text_[start])) {
      while (at_ < text_.size() && !strchr("}],", text_[at_])) ++at_;
    }
    return text_.substr(start, at_ - start);
  }
  bool at_colon() const { return at_ < text_.size() && text_[at_] == ':'; }

 private:
  Text text_;
  size_t at_ = 0;
};

}  // namespace trailfit
