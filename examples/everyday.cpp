// Everyday statements: chosen occurrences, a catch block, a secret, bytes, and arguments with names.
#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <faultline/faultline.hpp>

int main() {
  using faultline::kv;
  using faultline::level;
  using namespace std::chrono_literals;
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(faultline::make_text_formatter("{level:<7} {message}"));
  faultline::logger lg = faultline::get_logger("shop");
  lg.add_handler(out);

  for (int id = 1; id <= 6; ++id) {
    FAULTLINE_LOG_ONCE(lg, level::warning, "no certificate, going on without");
    FAULTLINE_LOG_EVERY_N(lg, level::info, 4, "order {}", id);
    FAULTLINE_LOG_IF(lg, level::info, id > 5, "order {} is a late one", id);
    FAULTLINE_LOG_EVERY(lg, level::error, 1h, "cannot reach {}", "db1");
  }

  try {
    throw std::runtime_error("no stock");
  } catch (const std::exception&) {
    FAULTLINE_EXCEPTION(lg, "order {} failed", 7);
  }

  const std::string password = "hunter2";
  FAULTLINE_INFO(lg, "login of {} with {}", "ada", faultline::secret(password));
  const std::array<std::uint8_t, 5> packet{0x68, 0x69, 0x21, 0x00, 0xff};
  FAULTLINE_INFO(lg, "received {:a}", faultline::hex(packet));
  FAULTLINE_INFO(lg, "{user} waited {ms} ms", kv<"user">("ada"), kv<"ms">(2.5));
  if (!faultline::stop()) return 1;
}

// Outputs:
// WARNING no certificate, going on without
// INFO    order 1
// ERROR   cannot reach db1
// INFO    order 5
// INFO    order 6 is a late one
// ERROR   order 7 failed | std::runtime_error: no stock
// INFO    login of ada with [redacted]
// INFO    received 68 69 21 00 ff |hi!..|
// INFO    ada waited 2.5 ms
