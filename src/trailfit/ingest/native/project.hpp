// What matters of a request, and the ARNs of resources[].

#pragma once

#include "json.hpp"

namespace trailfit {

constexpr size_t kMostArns = 8;
constexpr size_t kMostSlots = 4;

// Keys in lower case whose values matter; of the `opaque` ones a text only gets put into ARNs as it is. With `all`, the
// value of every key matters.
struct Keys {
  Words words, opaque;
  bool all = false;
};

// Writes a request, as JSON, that means the same as the given one and is the same for all that differ only in what is not
// read, or in opaque texts: these become the slots "\u00010\u0001", "\u00011\u0001", … and are listed. All of the structure
// stays, and so do texts that begin as an ARN does. With keys that are not plain ASCII all of a request is kept.
inline void project(Text request, Keys& keys, std::string& out, std::vector<Text>& slots) {
  const size_t before = out.size();
  slots.clear();
  if (keys.all || is_null(request)) {
    out.append(request);
    return;
  }
  enum Worth : char { kBlank, kOpaque, kKept };
  const Worth opaque = request.find("\\u") == Text::npos ? kOpaque : kKept;
  std::vector<Worth> worth{kKept};
  std::string lower;
  Tokens tokens(request);
  for (Text token = tokens.next(); !token.empty(); token = tokens.next()) {
    switch (token[0]) {
      case '"':
        if (tokens.at_colon()) {
          lower.assign(inside(token));
          for (char& letter : lower) {
            if (letter == '\\' || static_cast<unsigned char>(letter) >= 0x80) {
              out.resize(before);
              out.append(request);
              slots.clear();
              return;
            }
            if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + 32);
          }
          worth.back() = keys.words.has(lower) ? kKept : keys.opaque.has(lower) ? opaque : kBlank;
          out.append(token);
        } else if (worth.back() == kKept || token.size() == 2 || token.substr(1, 4) == "arn:" ||
                   token.find('\\') != Text::npos) {
          out.append(token);
        } else if (worth.back() == kBlank) {
          out.append("\"\"");
        } else {
          size_t slot = 0;
          while (slot < slots.size() && slots[slot] != token) ++slot;
          if (slot == kMostSlots) {
            out.append(token);
            break;
          }
          if (slot == slots.size()) slots.push_back(token);
          out.append("\"\\u0001").push_back(static_cast<char>('0' + slot));
          out.append("\\u0001\"");
        }
        break;
      case '{':
      case '[':
        worth.push_back(worth.back());
        out.push_back(token[0]);
        break;
      case '}':
      case ']':
        worth.pop_back();
        out.push_back(token[0]);
        break;
      case ':':
      case ',': out.push_back(token[0]); break;
      default: out.append(worth.back() != kBlank || token[0] > '9' ? token : Text("0"));
    }
  }
}

// Lists the ARNs of resources[] as `meaning._listed_arns` does, each once; false where it takes Python to tell.
inline bool list_arns(Text resources, std::vector<Text>& out) {
  out.clear();
  if (resources.empty() || resources[0] != '[') return true;
  if (resources.find('\\') != Text::npos) return false;
  Tokens tokens(resources);
  int depth = 0;
  Text key, upper, lower;
  for (Text token = tokens.next(); !token.empty(); token = tokens.next()) {
    const char kind = token[0];
    if (kind == '{' || kind == '[') {
      if (++depth == 3 && (key == "\"ARN\"" || key == "\"arn\"")) return false;
      if (depth == 2) upper = lower = {};
      if (depth == 2 && kind == '[') key = {};
    } else if (kind == '}' || kind == ']') {
      if (depth-- == 2 && kind == '}') {
        const Text arn = upper.size() > 2 ? upper : lower;
        if (arn.substr(0, 5) == "\"arn:") {
          bool known = false;
          for (const Text other : out) known |= other == arn;
          if (!known && out.size() == kMostArns) return false;
          if (!known) out.push_back(arn);
        }
      }
      key = {};
    } else if (kind == '"' && depth == 2 && tokens.at_colon()) {
      key = token;
    } else if (depth == 2 && kind != ':' && kind != ',' && (key == "\"ARN\"" || key == "\"arn\"")) {
      if (kind != '"' && token != "null") return false;
      (key == "\"ARN\"" ? upper : lower) = kind == '"' ? token : Text();
    }
  }
  return true;
}

}  // namespace trailfit
