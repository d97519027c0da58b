// What a program of scopes leads to: what each handler receives, and the counts. The reference says what it
// should be, the player what it was.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <faultline/record.hpp>
#include <faultline/runtime.hpp>

#include "scope_model/program.hpp"

namespace faultline::scope_model {

struct received_record {
  std::size_t number; ///< of the statement, 0 where the text does not tell
  std::string text;
};

/// A dump, or one record of the pass path.
struct block {
  std::string head;       ///< the envelope but for its start and thread, empty for the pass path
  bool by_record = false; ///< a record made it write
  std::uint64_t forgotten = 0;
  std::vector<received_record> records;
};

struct outcome {
  std::array<std::vector<block>, most_handlers> at; ///< by handler
  runtime_stats stats;                              ///< without rounds, threads and memory
  std::string complaint; ///< what a handler saw that no program may lead to; empty in the reference
};

/// A record's text at a handler.
[[nodiscard]] std::string line_of(level l, std::string_view logger, std::string_view scope,
                                  std::string_view message, std::string_view exception);
/// An envelope's text.
[[nodiscard]] std::string head_of(const dump_envelope& e);

/// Both as text, for people; the counts that are not zero.
[[nodiscard]] std::string text_of(const outcome& o);

/// Where the two differ, in words; empty when they are equal.
[[nodiscard]] std::string difference(const outcome& expected, const outcome& seen);

} // namespace faultline::scope_model
