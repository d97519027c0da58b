// scope_options::sample_every: one in so many scopes that end well is written, on average.
#include <array>
#include <stdexcept>
#include <string>
#include <thread>

#include <pthread.h>

#include "buffer/thread_slot.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

/// From here on the calling thread's samples are the same in each run.
void seed_samples(manual_runtime& rt, std::uint64_t seed) {
  rt.get_runtime().attach_thread();
  detail::current_cursor->slot->samples.seed(seed);
}

/// Which of so many scopes that end well are written.
strings sampled(manual_runtime& rt, int scopes, std::size_t every) {
  for (int i = 0; i < scopes; ++i) {
    {
      const error_scope scope(rt.get(), {.name = "request", .sample_every = every});
      FAULTLINE_DEBUG(rt.get(), "{}", i);
    }
    rt.write_all();
  }
  strings seen = rt.messages();
  rt.target->clear();
  return seen;
}

} // namespace

TEST_CASE("one in N scopes that end well is written, on average") {
  manual_runtime rt;
  seed_samples(rt, 1);
  const strings seen = sampled(rt, 5000, 10);
  CHECK(seen.size() > 430); // the standard deviation is 21
  CHECK(seen.size() < 570);
  CHECK(rt.stats().discarded == 5000 - seen.size());
  CHECK(rt.stats().lost == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("which scopes are the sample follows from the thread's seed") {
  manual_runtime rt;
  seed_samples(rt, 1);
  const strings one = sampled(rt, 200, 4);
  const strings other = sampled(rt, 200, 4);
  CHECK(one != other);
  seed_samples(rt, 1);
  CHECK(sampled(rt, 200, 4) == one);
}

TEST_CASE("a sampled scope says so") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get(), {.name = "request", .sample_every = 1});
    FAULTLINE_DEBUG(rt.get(), "well");
  }
  CHECK(rt.messages() == strings{"well"});
  CHECK(rt.dumps().at(0).trigger == trigger::sample);
  CHECK(to_string(trigger::sample) == "sample");
  CHECK(rt.dumps().at(0).scope == "request");
}

TEST_CASE("the rate of each scope is its own, however many there are and whatever they hold") {
  manual_runtime rt;
  seed_samples(rt, 3);
  std::array<int, 2> seen{};
  for (int i = 0; i < 2000; ++i) {
    const error_scope empty(rt.get("empty"), {.sample_every = 4});
    for (const std::size_t which : {0U, 1U}) {
      const std::string name = std::to_string(i % 50);
      const error_scope scope(rt.get("app"), {.name = name, .sample_every = which == 0 ? 4U : 20U});
      FAULTLINE_DEBUG(rt.get("app"), "{}", which);
    }
    for (const std::string& text : rt.messages()) ++seen.at(text == "0" ? 0 : 1);
    rt.target->clear();
  }
  CHECK(seen[0] > 400); // of 500
  CHECK(seen[0] < 600);
  CHECK(seen[1] > 60); // of 100
  CHECK(seen[1] < 140);
  CHECK(closes(rt.stats()));
}

TEST_CASE("scopes that fail are no sample") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto guarded =
      log_if_errors(lg, {.sample_every = 1}).fails_when([](int r) { return r < 0; })([&](int r) {
        FAULTLINE_DEBUG(lg, "{}", r);
        if (r > 100) throw std::runtime_error("boom");
        if (r > 50) FAULTLINE_ERROR(lg, "error");
        FAULTLINE_DEBUG(lg, "last");
        return r;
      });
  (void)guarded(-1);
  CHECK_THROWS(guarded(101));
  rt.write_all();
  (void)guarded(51);
  CHECK(rt.messages() == strings{"-1", "last", "101", "call failed", "51", "error"});
  (void)guarded(2);
  CHECK(rt.messages().back() == "last");
  CHECK(rt.dumps().back().trigger == trigger::sample);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an escaping exception that trips nothing is no success either") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto failing = [&] {
    const error_scope scope(lg, {.flush_level = level::critical, .sample_every = 1});
    FAULTLINE_DEBUG(lg, "held");
    throw 1;
  };
  CHECK_THROWS(failing());
  const auto expected = log_if_errors(lg, {.sample_every = 1}).expects<int>()([&] { throw 1; });
  CHECK_THROWS(expected());
  CHECK(rt.messages().empty());
}

TEST_CASE("a scope that was full has not failed: it may be the sample") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get(), {.capacity = 2, .on_full = full_policy::flush, .sample_every = 1});
    for (int i = 0; i < 3; ++i) FAULTLINE_DEBUG(rt.get(), "{}", i);
  }
  CHECK(rt.messages() == strings{"0", "1", "2"});
  CHECK(rt.dumps().back().trigger == trigger::sample);
}

TEST_CASE("guarded work that its thread's end cuts short is no sample") {
  manual_runtime rt;
  const auto guarded = log_if_errors(rt.get(), {.sample_every = 1})([&](bool ends) {
    FAULTLINE_DEBUG(rt.get(), "ends: {}", ends);
    if (ends) pthread_exit(nullptr);
  });
  std::thread([&] { guarded(true); }).join();
  CHECK(rt.messages().empty());
  std::thread([&] { guarded(false); }).join();
  CHECK(rt.messages() == strings{"ends: false"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a sample of an inner scope stays with the outer one, and is written to one target once") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope outer(lg);
    {
      const error_scope inner(lg, {.sample_every = 1});
      FAULTLINE_DEBUG(lg, "sampled");
    }
    FAULTLINE_DEBUG(lg, "outer");
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"sampled", "outer", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a sample that finds no free buffer is not written, and nothing is lost") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger lg = rt.get();
  for (int i = 0; i < 3; ++i) {
    const error_scope scope(lg, {.sample_every = 1});
    FAULTLINE_DEBUG(lg, "{}", i);
  }
  CHECK(rt.messages() == strings{"0"});
  {
    const error_scope scope(lg, {.sample_every = 1});
    FAULTLINE_DEBUG(lg, "later");
  }
  CHECK(rt.messages() == strings{"0", "later"});
  CHECK(rt.dumps().back().lost_contexts == 0);
  CHECK(rt.stats().contexts_refused == 0);
  CHECK(rt.stats().lost == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("storms do not concern samples, and a sample does not begin to pass through") {
  manual_runtime rt({.storm_dumps_per_second = 1, .storm_burst = 1});
  const logger lg = rt.get();
  for (int i = 0; i < 5; ++i) {
    const error_scope scope(lg, {.after_trip = trip_policy::pass_through, .sample_every = 1});
    FAULTLINE_DEBUG(lg, "{}", i);
    rt.write_all();
  }
  CHECK(rt.messages().size() == 5);
  CHECK(rt.stats().contexts_suppressed == 0);
}
