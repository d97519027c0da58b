// Records to a syslog server, as RFC 5424 messages with structured data. Component faultline::syslog.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <faultline/export.hpp>
#include <faultline/handler.hpp>

namespace faultline {

/// How messages travel.
///
/// | | framing | what a send that succeeded means |
/// |---|---|---|
/// | `unix_datagram` | a datagram a message | the message is in the local server's queue |
/// | `udp` | a datagram a message (RFC 5426) | nothing |
/// | `tcp` | octet counting (RFC 6587, 3.4.1) | nothing; see `make_syslog_handler` |
enum class syslog_transport : std::uint8_t { unix_datagram, udp, tcp };

/// The facilities of RFC 5424, table 1, by the names of syslog(3).
enum class syslog_facility : std::uint8_t {
  kern,
  user,
  mail,
  daemon,
  auth,
  syslog,
  lpr,
  news,
  uucp,
  cron,
  authpriv,
  ftp,
  local0 = 16,
  local1,
  local2,
  local3,
  local4,
  local5,
  local6,
  local7
};

/// Where messages go, what their header says, and what is kept while the server is away.
struct syslog_options {
  syslog_transport transport = syslog_transport::unix_datagram; ///< how messages travel
  /// Of `unix_datagram`. A relative one is that of the working directory when the handler is made.
  std::string path = "/dev/log";
  std::string host = "127.0.0.1"; ///< of `udp` and `tcp`: a numeric address, or a name that is looked up once
  std::uint16_t port = 514;       ///< of `udp` and `tcp`
  syslog_facility facility = syslog_facility::user; ///< of all messages
  std::string hostname = {};                        ///< HOSTNAME; empty: what gethostname(2) says
  std::string app_name = {};                        ///< APP-NAME; empty: the program's file name
  /// The SD-ID of what faultline knows of a record. The number is a private enterprise number: 32473 is kept
  /// for examples (RFC 5612), an organisation's own comes from IANA.
  std::string record_id = "faultline@32473";
  std::string fields_id = "fields@32473"; ///< the SD-ID of the scope's own fields
  bool envelope = true;                   ///< a message before each dump that tells its facts
  bool sequence_id = true;                ///< `[meta sequenceId="…"]`: shows a receiver gaps and repeats
  /// A byte order mark before MSG, as RFC 5424 wants of UTF-8. Off, since common servers keep it as text.
  bool byte_order_mark = false;
  /// The longest message, header and structured data included; 480 at least, 65507 at most. 0: 2048 for
  /// `udp`, else 8192.
  std::size_t max_message_bytes = 0;
  /// Messages kept while the server cannot be reached; beyond it records are lost and counted.
  std::size_t spool_bytes = 8U << 20;
  std::chrono::milliseconds connect_timeout{5000}; ///< of one attempt; `tcp`
  /// A peer that acknowledges nothing for so long is given up and connected to anew; `tcp`.
  std::chrono::milliseconds send_timeout{10000};
  /// The pause between attempts, doubled from 100 ms up to this.
  std::chrono::milliseconds max_retry_interval{5000};
};

/// Sends each record as one message:
///
///     <11>1 2026-11-22T07:43:38.207779Z web3 shop 4211 shop.order [meta sequenceId="3"][faultline@32473
///     logger="shop.order" thread="4211" file="order.cpp" line="42" function="reserve" dump_id="17"
///     scope="order" trace_id="4bf9…"][fields@32473 user="4711"] no stock for 4711
///
/// PRIVAL is the facility and the level (trace and debug 7, info 6, warning 4, error 3, critical 2); MSGID is
/// the logger's name, cut to 32 characters. MSG is the handler's formatter's text, at first that of the
/// pattern "{message}". Control characters and invalid UTF-8 are escaped everywhere. A message longer than
/// `max_message_bytes` is cut between characters and says how much is missing; parameters that find no room
/// in the half of it that structured data may take are left out and counted in `omitted`. A dump's envelope
/// is a message of its own before its records, MSGID "dump", with the dump's facts as parameters.
///
/// Sockets are non-blocking and connected from `flush`, so the flusher never waits for a server. While there
/// is none, messages stay in the spool; a batch for which there is no room is refused whole and counted by
/// `lost`, and only an empty spool takes a batch of any size. A name is looked up here, which may take as
/// long as the resolver likes, and never again; several addresses are tried in turn. `stop` waits up to a
/// second for a server that is there or being connected to, and counts as lost what was not sent then.
///
/// **What plain TCP cannot promise.** A message leaves the spool when the kernel takes it. A server that
/// closed the connection in good order is noticed before the next message is written to it. When a connection
/// breaks, what the peer's kernel had not acknowledged is sent again over the next one, and with it what was
/// sent within the last second (1 MiB in all): the server may have died with it unread. So a server's restart
/// may repeat messages, with the sequenceId they had, and a server that dies with older or more messages
/// unread loses what nobody counts. `runtime::flush` waits until the peer's kernel has acknowledged all
/// bytes; whether its program reads them is not known. UDP promises less: a port that answers "refused" is
/// treated as a broken connection, and all other losses go unnoticed.
///
/// Throws `configuration_error` for an option that cannot be used and std::system_error where a name is not
/// found. That no server answers is no error here: it is reported to `on_error` when a send fails, as is a
/// slow server when it costs the first batch, once, and not again before all messages were sent.
[[nodiscard]] FAULTLINE_API handler_ptr make_syslog_handler(const syslog_options& options = {});

} // namespace faultline
