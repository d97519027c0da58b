// Statements that do not compile: one for each CASE. Without one, those beside them do.
#include <chrono>

#include <faultline/hex.hpp>
#include <faultline/kv.hpp>
#include <faultline/log.hpp>
#include <faultline/ostream.hpp>
#include <faultline/secret.hpp>
#include <faultline/statements.hpp>

#ifndef CASE
#define CASE 0
#endif

void log(const faultline::logger& lg) {
  using faultline::kv;
  using namespace std::chrono_literals;
#if CASE == 1
  FAULTLINE_INFO(lg, "{usr}", kv<"user">(1));
#elif CASE == 2
  FAULTLINE_INFO(lg, "{user:>5.1f}", kv<"user">("text"));
#elif CASE == 3
  FAULTLINE_INFO(lg, "{user}", kv<"user">(1), kv<"user">(2));
#elif CASE == 4
  FAULTLINE_INFO(lg, "{}", kv<"two words">(1));
#elif CASE == 5
  FAULTLINE_INFO(lg, "{} {}", kv<"user">(1));
#elif CASE == 6
  FAULTLINE_INFO(lg, "{} {0}", kv<"user">(1));
#elif CASE == 7
  FAULTLINE_INFO(lg, "{user", kv<"user">(1));
#elif CASE == 8
  FAULTLINE_INFO(lg, "{:d}", faultline::hex("bytes", 5));
#elif CASE == 9
  FAULTLINE_INFO(lg, "{} {}", faultline::secret(1));
#elif CASE == 10
  FAULTLINE_INFO(lg, "{a}", fmt::arg("a", 1));
#elif CASE == 11
  FAULTLINE_INFO(lg, "{:>{}} {:d}", 5ms, 10, "text");
#elif CASE == 12
  FAULTLINE_INFO(lg, "{:>{}}", 5ms);
#elif CASE == 13
  FAULTLINE_INFO(lg, "{:>{}}", 5ms, "text");
#elif CASE == 14
  FAULTLINE_INFO(lg, "{0:>{2}}", 5ms, 10);
#elif CASE == 15
  FAULTLINE_INFO(lg, "{:>{width}}", 5ms, 10);
#elif CASE == 16
  FAULTLINE_INFO(lg, "{:>{1}}", 5ms, 10);
#else
  FAULTLINE_INFO(lg, "{user}", kv<"user">(1));
  FAULTLINE_INFO(lg, "{user:>5}", kv<"user">("text"));
  FAULTLINE_INFO(lg, "{user}", kv<"user">(1), kv<"other">(2));
  FAULTLINE_INFO(lg, "{}", kv<"two_words">(1));
  FAULTLINE_INFO(lg, "{} {}", kv<"user">(1), 2);
  FAULTLINE_INFO(lg, "{0} {0}", kv<"user">(1));
  FAULTLINE_INFO(lg, "{:Xsao}", faultline::hex("bytes", 5));
  FAULTLINE_INFO(lg, "{}", faultline::secret(1));
  FAULTLINE_INFO(lg, "{:>{}} {:s}", 5ms, 10, "text");
  FAULTLINE_INFO(lg, "{:>{}}", faultline::secret(1), 10);
  FAULTLINE_INFO(lg, "{0:>{1}}", 5ms, 10);
  FAULTLINE_INFO(lg, "{took:>{width}}", kv<"took">(5ms), kv<"width">(10));
  FAULTLINE_LOG_EVERY(lg, faultline::level::info, 0.5s, "twice a second");
  if (lg.enabled(faultline::level::info)) FAULTLINE_STREAM(lg, faultline::level::info) << "no dangling else";
#endif
}
