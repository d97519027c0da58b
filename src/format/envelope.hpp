// The two lines around a dump, `key=value` lists that nothing a record or a scope says can forge.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <faultline/record.hpp>

namespace faultline::detail {

/// Appends the line before a dump:
/// `--- dump 17 scope="order 4711" logger=shop.order thread=123 start=2024-05-01T12:34:56.000789Z`
/// `duration=1.234ms trigger=level reason=ERROR records=23 forgotten=0 truncated=0`, then `lost_contexts=N`
/// where that is not zero, and `trace_id`, `span_id` and the scope's fields as `fields.KEY=VALUE`, all where
/// present. An empty scope name or reason is left out.
void append_dump_begin(const dump_envelope& dump, std::string& out);

/// Appends the line after a dump: `--- end of dump 17`.
void append_dump_end(const dump_envelope& dump, std::string& out);

/// True for a line that a reader would take for one of the two.
[[nodiscard]] bool looks_like_envelope(std::string_view line) noexcept;

/// Appends `KEY=VALUE KEY=VALUE`, keys and values quoted where they are no plain words.
void append_fields(std::span<const context_field> fields, std::string& out);

} // namespace faultline::detail
