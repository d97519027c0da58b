// What the reference knows of a logger, a record, a scope.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <faultline/record.hpp>
#include <faultline/scope.hpp>

namespace faultline::scope_model {

struct model_logger {
  std::string name;
  std::optional<std::size_t> parent;
  std::size_t depth = 0;
  std::optional<level> own;
  bool propagates = true;
  std::uint32_t handlers = 0;
};

struct model_record {
  std::size_t logger;
  level at;
  std::size_t number;
  std::string message;
  std::string exception;
  std::uint32_t dumped_to = 0; ///< handlers that have it
  std::uint32_t passed_to = 0;
  bool handed_over = false;
  bool passed = false;
  bool alone = false;   ///< logged while one scope was open
  bool outside = false; ///< logged while none was, by a thread that holds such records
  bool discarded = false;
};

struct model_scope {
  std::string name{};
  std::size_t logger = 0;
  std::size_t target = 0;
  level flush_level = level::error;
  std::size_t capacity = 0;
  bool flushes_when_full = false;
  bool passes_through = false; ///< once it has failed
  std::size_t pin_first = 0;
  bool alone_pins = true; ///< no other scope with pin_first was open meanwhile
  faultline::expectation expects = nullptr;
  std::size_t budget_ms = 0; ///< 0: none
  std::size_t start_ms = 0;
  std::size_t written_ms = start_ms;    ///< it wrote last
  bool passing = false;                 ///< it passes through now
  std::vector<std::size_t> held{};      ///< records by number, oldest first
  std::vector<std::size_t> forgotten{}; ///< since it was entered or last wrote
  std::size_t since = 0;                ///< how many records there were then
};

/// Why scopes write.
struct cause {
  trigger why;
  std::string_view reason;
  bool by_record;
};

} // namespace faultline::scope_model
