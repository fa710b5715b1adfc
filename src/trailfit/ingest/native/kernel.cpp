// The native decoder: log objects as CloudTrail delivers them, to columns of codes.
//
// It knows JSON and nothing of AWS: which fields say who called, what was called and on what comes from Python, and so
// does all that they mean. It takes an object only when it is plain: one gzip member, one document
// {"Records":[{…},…]} without spaces between tokens, every field of the type that CloudTrail gives it, no field twice.
// `add` declines any other whole and leaves no trace of it; the Python decoder then reads that object.

#include <libdeflate.h>
#include <simdjson.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "project.hpp"

namespace {

using namespace trailfit;

// A longer document is declined.
constexpr size_t kLargest = 64u << 20;

// The fields of a record that are read; those of `kCall` make up one key, in this order.
enum Field {
  kSource, kName, kRegion, kAccount, kType, kCategory, kReadOnly, kManagement, kErrorCode, kErrorMessage,
  kId, kTime, kShared, kIp, kAgent, kIdentity, kRequest, kResponse, kResources, kFields
};
constexpr int kCall = kErrorMessage + 1;
constexpr Text kFieldNames[kFields] = {
    "eventSource", "eventName", "awsRegion", "recipientAccountId", "eventType", "eventCategory", "readOnly",
    "managementEvent", "errorCode", "errorMessage", "eventID", "eventTime", "sharedEventID", "sourceIPAddress",
    "userAgent", "userIdentity", "requestParameters", "responseElements", "resources"};

// Microseconds since 1970 of YYYY-MM-DDTHH:MM:SSZ.
int64_t read_time(Text quoted) {
  if (quoted.size() != 22) throw Declined();
  const Text text = inside(quoted);
  constexpr Text form = "0000-00-00T00:00:00Z";
  for (size_t at = 0; at < form.size(); ++at)
    if (form[at] == '0' ? !is_digit(text[at]) : text[at] != form[at]) throw Declined();
  const auto number = [&](size_t at, size_t length) {
    int found = 0;
    for (size_t end = at + length; at < end; ++at) found = found * 10 + (text[at] - '0');
    return found;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days[month - 1] + (month == 2 && leap)) throw Declined();
  if (hour > 23 || minute > 59 || second > 59) throw Declined();
  // Days of the civil calendar, counted from March so that the leap day is a year's last.
  const int y = year - (month <= 2), era = y / 400, of_era = y % 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t date = era * 146097LL + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  return (((date * 24 + hour) * 60 + minute) * 60 + second) * 1000000LL;
}

}  // namespace

// What Python sees: rows added, in columns; distinct words behind the codes in them.
struct Kernel {
  Words who, call, ip, agent, said, arns, slots;
  std::vector<Keys> keys;
  Words response_readers;

  std::vector<int64_t> time, check;
  std::vector<int32_t> who_code, call_code, ip_code, agent_code, source_code;
  Texts id, shared, request, resources, response;
  // Made by `list_all` and `project_all`.
  std::vector<int32_t> said_code, arn_code, arn_ends, slot_code, slot_ends;
  std::vector<bool> odd;

  std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater{
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor};
  std::unique_ptr<simdjson::internal::dom_parser_implementation> finder;
  std::unique_ptr<char[]> plain;
  size_t room = 0;
  std::string scratch;

  size_t rows() const { return time.size(); }

  size_t inflate(const uint8_t* data, size_t size) {
    if (size < 18 || memcmp(data, "\x1f\x8b\x08", 3) != 0) throw Declined();
    uint32_t promised;
    memcpy(&promised, data + size - 4, 4);  // little-endian, as are the machines that this is built for
    if (promised == 0 || promised > kLargest || promised > 1032 * size) throw Declined();
    if (promised > room) {
      room = promised + promised / 4;
      plain = std::make_unique<char[]>(room + simdjson::SIMDJSON_PADDING);
      if (simdjson::get_active_implementation()->create_dom_parser_implementation(room, 1, finder)) throw Declined();
    }
    size_t read = 0, made = 0;
    const auto result =
        libdeflate_gzip_decompress_ex(inflater.get(), data, size, plain.get(), promised, &read, &made);
    if (result != LIBDEFLATE_SUCCESS || read != size || made != promised) throw Declined();
    memset(plain.get() + made, ' ', simdjson::SIMDJSON_PADDING);
    return made;
  }

  void add(const uint8_t* data, size_t size, int32_t source) {
    const size_t length = inflate(data, size);
    const auto* text = reinterpret_cast<const uint8_t*>(plain.get());
    if (finder->stage1(text, length, simdjson::stage1_mode::regular)) throw Declined();
    Walk walk(plain.get(), length, finder->structural_indexes.get(), finder->n_structural_indexes);
    walk.expect('{');
    if (walk.key() != "Records") throw Declined();
    walk.expect('[');
    do {
      add_record(walk, source);
    } while (walk.more(']'));
    walk.expect('}');
    if (!walk.ended()) throw Declined();
  }

  void add_record(Walk& walk, int32_t source) {
    Text field[kFields];
    const size_t start = walk.position();
    walk.expect('{');
    do {
      const Text key = walk.plain_key();
      const Text value = walk.value();
      for (int which = 0; which < kFields; ++which) {
        if (kFieldNames[which].size() != key.size() || kFieldNames[which] != key) continue;
        if (!field[which].empty()) throw Declined();
        field[which] = value;
        break;
      }
    } while (walk.more('}'));
    const Text record(plain.get() + start, walk.position() - start);
    for (int which = 0; which < kIdentity; ++which) {
      const bool flag = which == kReadOnly || which == kManagement;
      if (!is_null(field[which]) && (flag ? field[which] != "true" && field[which] != "false" : !is_string(field[which])))
        throw Declined();
    }
    if (field[kSource].size() < 3 || field[kName].size() < 3 || is_null(field[kSource]) || is_null(field[kName]))
      throw Declined();
    for (const int which : {kId, kShared})
      if (field[which].find('\\') != Text::npos) throw Declined();
    time.push_back(read_time(field[kTime]));
    scratch.clear();
    for (int which = 0; which < kCall; ++which) {
      if (!is_null(field[which])) scratch.append(field[which]);
      scratch.push_back('\x1f');
    }
    call_code.push_back(call.code(scratch));
    who_code.push_back(who.code(field[kIdentity]));
    ip_code.push_back(ip.code(is_null(field[kIp]) ? Text() : field[kIp]));
    agent_code.push_back(agent.code(is_null(field[kAgent]) ? Text() : field[kAgent]));
    source_code.push_back(source);
    // One word for the record's bytes: CRC-32 and length, as `record_check` in the lake.
    const uint64_t crc = libdeflate_crc32(0, record.data(), record.size());
    check.push_back(static_cast<int64_t>(crc << 31 | (record.size() & 0x7FFFFFFF)));
    for (auto [texts, which] : {std::pair{&id, kId}, std::pair{&shared, kShared}})
      texts->add(is_null(field[which]) ? Text() : inside(field[which]), !is_null(field[which]));
    request.add(is_null(field[kRequest]) ? Text() : field[kRequest], !is_null(field[kRequest]));
    resources.add(is_null(field[kResources]) ? Text() : field[kResources], true);
    const bool reads = response_readers.has(inside(field[kName]));
    response.add(reads && !is_null(field[kResponse]) ? field[kResponse] : Text(), true);
  }

  void cut(size_t rows) {
    time.resize(rows), check.resize(rows);
    for (auto* codes : {&who_code, &call_code, &ip_code, &agent_code, &source_code}) codes->resize(rows);
    for (auto* texts : {&id, &shared, &request, &resources, &response}) texts->cut(rows);
  }

  // Lists the ARNs of the rows' resources[], where `of` is not negative; it begins the words, so that an ARN has one
  // for each plan that may take it.
  void list_all(const int32_t* of) {
    arn_code.clear(), arns.clear(), odd.assign(rows(), false);
    arn_ends.assign(1, 0);
    std::vector<Text> listed;
    for (size_t row = 0; row < rows(); ++row) {
      if (of[row] >= 0) {
        odd[row] = !list_arns(resources[row], listed);
        for (const Text arn : listed) {
          if (odd[row]) break;
          scratch.assign(reinterpret_cast<const char*>(&of[row]), sizeof of[row]).append(inside(arn));
          arn_code.push_back(arns.code(scratch));
        }
      }
      arn_ends.push_back(static_cast<int32_t>(arn_code.size()));
    }
  }

  // Gives each row the code of what matters of it: of the request, the keys number `of` (none where it is negative);
  // with `whole`, resources and response too. -1 where `list_all` left it to Python. Also lists the texts of its slots.
  void project_all(const int32_t* of, const uint8_t* whole) {
    said_code.clear(), slot_code.clear(), slots.clear();
    slot_ends.assign(1, 0);
    std::vector<Text> found;
    for (size_t row = 0; row < rows(); ++row) {
      scratch.assign(reinterpret_cast<const char*>(&of[row]), sizeof of[row]);
      found.clear();
      if (of[row] >= 0) project(request[row], keys[of[row]], scratch, found);
      for (const Text text : found) slot_code.push_back(slots.code(inside(text)));
      slot_ends.push_back(static_cast<int32_t>(slot_code.size()));
      if (whole[row]) {
        (scratch += '\x1f').append(resources[row]);
        (scratch += '\x1f').append(response[row]);
      }
      said_code.push_back(odd[row] ? -1 : said.code(scratch));
    }
  }
};

extern "C" {

// The checksum of the source that this was built from.
const char* trailfit_source() { return TRAILFIT_SOURCE; }

Kernel* trailfit_new(const char* response_readers) {
  auto kernel = std::make_unique<Kernel>();
  for (const char* name = response_readers; *name; name += strlen(name) + 1) kernel->response_readers.code(name);
  return kernel.release();
}

void trailfit_free(Kernel* kernel) { delete kernel; }

// Adds an object's records and gives their number; -1 where it is declined, and nothing of it was added.
int64_t trailfit_add(Kernel* kernel, const uint8_t* data, uint64_t size, int32_t source) {
  const size_t before = kernel->rows();
  try {
    kernel->add(data, size, source);
    return static_cast<int64_t>(kernel->rows() - before);
  } catch (const Declined&) {
  } catch (const std::bad_alloc&) {
  }
  kernel->cut(before);
  return -1;
}

// Makes a set of keys, two lists, each key ended by NUL; with `all`, of every key. Gives its number.
int32_t trailfit_keys(Kernel* kernel, const char* kept, const char* opaque, int32_t all) {
  kernel->keys.emplace_back();
  Keys& made = kernel->keys.back();
  made.all = all != 0;
  for (const char* key = kept; *key; key += strlen(key) + 1) made.words.code(key);
  for (const char* key = opaque; *key; key += strlen(key) + 1) made.opaque.code(key);
  return static_cast<int32_t>(kernel->keys.size()) - 1;
}

void trailfit_list(Kernel* kernel, const int32_t* of) { kernel->list_all(of); }

void trailfit_project(Kernel* kernel, const int32_t* of, const uint8_t* whole) { kernel->project_all(of, whole); }

// Forgets the rows, not the words.
void trailfit_clear(Kernel* kernel) { kernel->cut(0); }

// Gives the bytes of all texts of the rows, or of the words behind codes.
int64_t trailfit_weight(const Kernel* kernel, int32_t of_words) {
  size_t bytes = 0;
  if (of_words)
    for (const Words* one : {&kernel->who, &kernel->call, &kernel->ip, &kernel->agent, &kernel->said})
      bytes += one->bytes.size();
  else
    for (const Texts* one : {&kernel->id, &kernel->shared, &kernel->request, &kernel->resources, &kernel->response})
      bytes += one->bytes.size();
  return static_cast<int64_t>(bytes);
}

// Gives a buffer and its size in bytes; valid until the kernel is called again.
const void* trailfit_buffer(Kernel* kernel, int32_t which, int64_t* bytes) {
  const auto give = [&](const auto& held) -> const void* {
    *bytes = static_cast<int64_t>(held.size() * sizeof held[0]);
    return held.data();
  };
  const Words* words[] = {&kernel->who,  &kernel->call, &kernel->ip,   &kernel->agent,
                          &kernel->said, &kernel->arns, &kernel->slots};
  const Texts* texts[] = {&kernel->id, &kernel->shared, &kernel->request, &kernel->resources, &kernel->response};
  const std::vector<int32_t>* codes[] = {&kernel->who_code, &kernel->call_code, &kernel->ip_code, &kernel->agent_code,
                                         &kernel->source_code, &kernel->said_code, &kernel->arn_code, &kernel->arn_ends,
                                         &kernel->slot_code, &kernel->slot_ends};
  if (which < 10) return give(*codes[which]);
  if (which < 20) return give(which == 10 ? kernel->time : kernel->check);
  if (which < 40) {
    const Texts& one = *texts[(which - 20) / 3];
    return (which - 20) % 3 == 0 ? give(one.ends) : (which - 20) % 3 == 1 ? give(one.bytes) : give(one.valid);
  }
  const Words& one = *words[(which - 40) / 2];
  return (which - 40) % 2 == 0 ? give(one.ends) : give(one.bytes);
}
}
