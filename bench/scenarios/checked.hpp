// What is not timed: `text` (a variant must write what the others write before its time counts) and
// `instructions` (a given number of requests, for callgrind to count).
#pragma once

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "../run.hpp"

namespace bench {

inline void expect_text(const std::string& path, const std::string& text) {
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.ends_with(text)) return;
  }
  throw std::runtime_error("wrong text: no line ends with \"" + text + "\"");
}

template <class Variant> void check_text(const run& r) {
  {
    pinned_variant<Variant> v(r.make_setup());
    const auto log = v->make_log();
    {
      const typename Variant::request request(log);
      log.a(18'446'744'073'709'551'615U, 4'294'967'295U, 1.5);
      log.b(std::string(user_name), -7);
      log.error(42);
    }
    v->settle();
  }
  expect_text(r.path(), "request 18446744073709551615 handled 4294967295 bytes in 1.5 us");
  expect_text(r.path(), "user a string of 24 character shard -7");
  expect_text(r.path(), "request failed with 42");
}

/// 1,000 requests of BENCH_RECORDS records and nothing else: the difference of two counts, divided by the
/// records between them, is a record's.
template <class Variant> void run_instructions(const run& r) {
  const char* wanted = std::getenv("BENCH_RECORDS");
  const int records = wanted == nullptr ? records_per_request : std::atoi(wanted);
  Variant v(r.make_setup());
  const auto log = v.make_log();
  for (int i = 0; i < 1000; ++i) request_a<Variant>(log, records);
}

} // namespace bench
