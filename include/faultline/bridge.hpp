// For bridges from other loggers: records of texts that are formatted already.
#pragma once

#include <cstdint>
#include <string_view>

#include <faultline/export.hpp>
#include <faultline/level.hpp>
#include <faultline/logger.hpp>

namespace faultline {

/// Where a statement of another logger stands. The strings are copied.
struct source_place {
  const char* file = nullptr;     ///< its `__FILE__`; null or empty: the place is not known
  std::uint32_t line = 0;         ///< its `__LINE__`
  const char* function = nullptr; ///< its `__func__`, or null
  bool in_text = false; ///< " (file:line)" stands behind the text as well, without the file's folders
};

/// One record of `lg` with that text and that place, as a statement of faultline's at the place would make
/// it: held in a scope, tripping it, or passed. The text is cut to `runtime_options::argument_bytes`; a level
/// that is off for the logger, or no level, makes no record.
///
/// Storm control takes each place for a site of its own, or, without a place, each logger and level; and of
/// these the errors (of the logger's flush level) apart by what their texts begin with, words with digits
/// left out. So a rare error keeps its context in a storm of another one. A place has 8 such kinds of errors,
/// a logger 64 of each level, and those beyond are one; a process has some 8,000 sites in all. A place beyond
/// that goes by its logger, and is not shown as the record's file and line.
///
/// Any thread; no lock, no allocation, no system call, once the thread is attached.
FAULTLINE_API void log_text(logger lg, level l, std::string_view text,
                            const source_place& place = {}) noexcept;

} // namespace faultline
