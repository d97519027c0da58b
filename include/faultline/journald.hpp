// Records to systemd's journal, by its native protocol. Component faultline::journald.
#pragma once

#include <cstddef>
#include <string>

#include <faultline/export.hpp>
#include <faultline/handler.hpp>

namespace faultline {

/// Where the journal is, and what is kept while it is away.
struct journald_options {
  /// Journald's native socket. A relative path is that of the working directory when the handler is made.
  std::string socket_path = "/run/systemd/journal/socket";
  std::string identifier = {}; ///< SYSLOG_IDENTIFIER; empty: the program's file name
  bool envelope = true;        ///< an entry before each dump that tells its facts
  /// The longest entry; 4096 at least, 64 MiB at most. A message that is longer is cut and says so; fields of
  /// a scope that find no room are left out and counted in FAULTLINE_OMITTED. Any other field's value is cut
  /// to 256 bytes, the last of them "...".
  std::size_t max_entry_bytes = 1U << 20;
  /// Entries kept while the journal cannot be reached; beyond it records are lost and counted.
  std::size_t spool_bytes = 8U << 20;
};

/// Writes each record as one journal entry: https://systemd.io/JOURNAL_NATIVE_PROTOCOL. The journal keeps
/// values as they are, so nothing is escaped but what the handler's formatter escapes, at first the pattern
/// "{message}".
///
/// - MESSAGE, PRIORITY (7 for trace and debug, 6, 4, 3, 2), SYSLOG_IDENTIFIER, TID, CODE_FILE, CODE_LINE,
///   CODE_FUNC: the formatter's text, and the statement's place and thread;
/// - FAULTLINE_LOGGER; FAULTLINE_TIME, when the record was made, in microseconds since 1970 (the journal's
///   own time is that of its arrival);
/// - FAULTLINE_SCOPE, FAULTLINE_DUMP_ID, FAULTLINE_TRACE_ID, FAULTLINE_SPAN_ID and FAULTLINE_EXCEPTION where
///   the record has them;
/// - the scope's own fields: the key in capitals, with _ for all but A-Z, 0-9 and _, cut to 64, and FIELD_
///   before a key that would not begin with a letter or pass for one of the fields above.
///
/// A dump's envelope is an entry of its own before its records, with FAULTLINE_DUMP_ID, FAULTLINE_TRIGGER,
/// FAULTLINE_REASON, FAULTLINE_RECORDS, FAULTLINE_FORGOTTEN, FAULTLINE_TRUNCATED, FAULTLINE_DURATION_US.
///
/// The socket is non-blocking. An entry that is too large for a datagram goes through a sealed memory file.
/// While the journal is away or its queue is full, entries wait; a batch for which there is no room is
/// refused whole and counted by `lost`, and only an empty spool takes a batch of any size. What journald had
/// not read when it ended is kept by systemd, which holds the socket. An entry for which the system has no
/// memory file while the journal is there is tried for a second, then given up and counted as lost. `stop`
/// waits up to a second for a journal that is only slow, and counts as lost what it has not taken then.
///
/// Throws `configuration_error` for an option that cannot be used. That a send fails, or that a slow journal
/// costs the first batch, is reported to `on_error` once, and not again before all entries were sent.
[[nodiscard]] FAULTLINE_API handler_ptr make_journald_handler(const journald_options& options = {});

} // namespace faultline
