// Exact accounting: many threads with random nested scopes, trips of all kinds, handlers and storms.
// Afterwards both ledgers close, and what the handlers saw is what the threads meant.
//
//   accounting roomy|told|tiny|storms|outside [records of each thread] [threads] [seed]
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <faultline/faultline.hpp>

#include "recorder.hpp"
#include "workload.hpp"

namespace faultline::stress {
namespace {

struct plan {
  std::string_view name;
  std::size_t records = 100'000;
  std::size_t threads = 32;
  std::uint64_t seed = 1;
  static constexpr std::size_t lives = 4;
};

/// What has to hold; each failure is a line and the exit status.
class findings {
 public:
  void equal(std::string_view what, std::uint64_t seen, std::uint64_t wanted) {
    report(what, seen, wanted, seen == wanted, "=");
  }
  void at_most(std::string_view what, std::uint64_t seen, std::uint64_t bound) {
    report(what, seen, bound, seen <= bound, "at most");
  }
  [[nodiscard]] bool all_good() const noexcept { return good_; }

 private:
  void report(std::string_view what, std::uint64_t seen, std::uint64_t wanted, bool good,
              const char* relation) {
    std::printf("%s %-58.*s %12llu (%s %llu)\n", good ? "ok    " : "WRONG ", static_cast<int>(what.size()),
                what.data(), static_cast<unsigned long long>(seen), relation,
                static_cast<unsigned long long>(wanted));
    good_ = good_ && good;
  }
  bool good_ = true;
};

runtime_options options_of(const plan& p) {
  runtime_options o;
  o.storm_dumps_per_second = 0;
  o.busy_interval = std::chrono::microseconds(100);
  o.on_error = [](const error_report&) {};
  if (p.name == "roomy" || p.name == "told") {
    o.outbox_bytes = std::size_t{4} << 20;
    o.buffers_per_thread = 16;
  } else if (p.name == "tiny") {
    o.buffer_bytes = 4096;
    o.buffers_per_thread = 2;
    o.outbox_bytes = 4096;
    o.clock = clock_kind::scope;
  } else if (p.name == "outside") {
    o.hold_outside_scopes = true;
    o.buffer_bytes = 8192;
    o.buffers_per_thread = 8;
    o.outbox_bytes = std::size_t{1} << 20;
    o.clock = clock_kind::coarse;
  } else if (p.name == "storms") {
    o.storm_dumps_per_second = 5;
    o.storm_burst = 2;
  } else {
    throw std::invalid_argument("unknown plan: roomy, told, tiny, storms and outside are known");
  }
  return o;
}

std::array<handler_ptr, roles> make_handlers(recorder& seen) {
  std::array<handler_ptr, roles> all;
  for (std::size_t i = 0; i < roles; ++i)
    all[i] = make_callback_handler([&seen, i](const batch& records) { seen.receive(i, records); });
  all[throwing] = make_callback_handler([&seen, n = 0](const batch& records) mutable {
    if (++n % 3 == 0) throw std::runtime_error("planned");
    seen.receive(throwing, records);
  });
  return all;
}

/// What the rest of a program does meanwhile: flush, read counts, change handlers.
void disturb(runtime& r, const stage& s, const std::atomic<std::size_t>& running) {
  constexpr int most_changes = 40; // each is remembered for as long as the runtime lives
  for (int i = 0; running.load(std::memory_order_acquire) > 0; ++i) {
    if (i < most_changes) {
      logger root = s.loggers[0];
      if (i % 2 == 0)
        root.add_handler(s.handlers[coming]);
      else
        root.remove_handler(s.handlers[coming]);
    }
    r.flush(std::chrono::milliseconds(20));
    (void)r.stats();
  }
}

void check_ledgers(findings& f, const runtime_stats& s, const std::deque<worker>& workers) {
  std::uint64_t statements = 0;
  std::uint64_t refused = 0;
  for (const worker& w : workers) {
    statements += w.statements();
    refused += w.scopes_refused();
  }
  f.equal("statements that the threads counted themselves", s.logged, statements);
  f.equal("threads: handed over + passed only + discarded + lost",
          s.handed_over + s.passed_only + s.discarded + s.lost, s.logged);
  f.equal("flusher: written + suppressed + skipped + lost",
          s.written + s.suppressed + s.skipped + s.flusher_lost, s.taken);
  f.equal("in flight after stop", s.in_flight, 0);
  f.equal("scopes beyond the table's bound", s.scopes_refused, refused);
  f.equal("scopes abandoned, reentered, after stop, format errors",
          s.scopes_abandoned + s.reentered + s.after_stop + s.format_errors, 0);
  if (s.contexts_refused + s.contexts_suppressed + s.outbox_full == 0) f.equal("lost records", s.lost, 0);
}

void check_streams(findings& f, const runtime_stats& s, const recorder& seen,
                   const std::deque<worker>& workers) {
  std::vector<intent> intents;
  for (const worker& w : workers) intents.push_back(w.meant());
  const verdict v = seen.checker().judge(intents);
  f.equal("batches with foreign, empty or unreadable parts", seen.malformed(), 0);
  f.equal("records that a handler got twice", v.duplicates, 0);
  f.equal("records out of order", v.disorders, 0);
  f.equal("records of successful work at a handler", v.not_wanted, 0);
  f.at_most("records that a handler must have and has not", v.missing, s.outbox_full);
  f.equal("dumps that the handlers took", seen.dumps(), s.dumps);
  const std::uint64_t copies = seen.copies_in_dumps() + seen.copies_passed();
  // A storm's error record comes alone and looks like one of the pass path; under the scope's clock several
  // `call failed` may share a time; a record that several scopes are told alone has an entry for each. All
  // make the count from outside too small.
  f.at_most("copies that the handlers took", copies, s.written);
  f.at_most("copies written", s.written, v.deliveries + s.logged - copies);
  std::printf("       numbered deliveries %llu, copies %llu\n", static_cast<unsigned long long>(v.deliveries),
              static_cast<unsigned long long>(copies));
}

/// A run that never met what it is about proves nothing.
void check_variety(findings& f, const plan& p, const runtime_stats& s) {
  const auto some = [&f](std::string_view what, std::uint64_t count) { f.at_most(what, 1, count); };
  some("some hand-overs", s.hand_overs);
  some("some records passed only", s.passed_only);
  some("some records discarded", s.discarded);
  some("some copies skipped", s.skipped);
  some("some copies lost to a throwing handler", s.flusher_lost);
  some("some scopes refused", s.scopes_refused);
  if (p.name == "tiny") {
    some("some contexts refused", s.contexts_refused);
    some("some records refused by the outbox", s.outbox_full);
    some("some records forgotten", s.forgotten);
  }
  if (p.name == "storms") some("some contexts suppressed", s.contexts_suppressed);
}

bool run(const plan& p) {
  recorder seen(p.threads, p.records, p.records / plan::lives);
  const auto handlers = make_handlers(seen);
  runtime_options options = options_of(p);
  options.default_target = handlers[default_target];
  runtime r(options);
  const bool roomy = p.name == "roomy" || p.name == "told";
  const stage s(r, handlers,
                roomy                         ? 2
                : options.hold_outside_scopes ? 4
                                              : 10,
                p.name != "roomy", options.hold_outside_scopes);
  std::deque<worker> workers;
  for (std::size_t i = 0; i < p.threads; ++i)
    workers.emplace_back(s, i, p.records, plan::lives, p.seed * 1000);

  std::atomic<std::size_t> running{p.threads};
  std::vector<std::thread> threads;
  for (worker& w : workers)
    threads.emplace_back([&w, &running] {
      for (std::size_t life = 0; life < plan::lives; ++life) std::thread([&] { w.live(life); }).join();
      running.fetch_sub(1, std::memory_order_release);
    });
  disturb(r, s, running);
  for (std::thread& t : threads) t.join();

  findings f;
  f.equal("the flush succeeds", r.flush(std::chrono::seconds(60)) ? 1 : 0, 1);
  f.equal("the stop succeeds", r.stop(std::chrono::seconds(60)) ? 1 : 0, 1);
  const runtime_stats counts = r.stats();
  check_ledgers(f, counts, workers);
  check_streams(f, counts, seen, workers);
  check_variety(f, p, counts);
  std::printf(
      "%.*s: %zu threads, %llu statements, %llu hand-overs, %llu contexts refused, %llu suppressed, %llu "
      "refused by the outbox\n",
      static_cast<int>(p.name.size()), p.name.data(), p.threads,
      static_cast<unsigned long long>(counts.logged), static_cast<unsigned long long>(counts.hand_overs),
      static_cast<unsigned long long>(counts.contexts_refused),
      static_cast<unsigned long long>(counts.contexts_suppressed),
      static_cast<unsigned long long>(counts.outbox_full));
  return f.all_good();
}

} // namespace
} // namespace faultline::stress

int main(int argc, char** argv) {
  using namespace faultline::stress;
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: %s roomy|told|tiny|storms|outside [records of each thread] [threads] [seed]\n",
                 argv[0]);
    return 2;
  }
  plan p;
  p.name = argv[1];
  if (argc > 2) p.records = std::strtoull(argv[2], nullptr, 10);
  if (argc > 3) p.threads = std::strtoull(argv[3], nullptr, 10);
  if (argc > 4) p.seed = std::strtoull(argv[4], nullptr, 10);
  p.records = p.records / plan::lives * plan::lives;
  try {
    return run(p) ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
