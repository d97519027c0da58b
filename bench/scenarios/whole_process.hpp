// What all threads of the process do together: `written`, `cpu`, `threads`, `churn`, `idle`.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../run.hpp"
#include "calls.hpp"

namespace bench {

/// Starts `count` producers, lets them begin together, and waits for them.
template <class Produce> void run_producers(int count, Produce produce) {
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> producers;
  for (int i = 0; i < count; ++i)
    producers.emplace_back([&, i] {
      produce(i, [&] {
        ready.fetch_add(1);
        while (!go.load()) std::this_thread::yield();
      });
    });
  while (ready.load() < count) std::this_thread::yield();
  go.store(true);
  for (std::thread& t : producers) t.join();
}

/// How many lines of a file contain `text`.
inline std::uint64_t count_lines(const std::string& path, const std::string& text) {
  std::FILE* f = std::fopen(path.c_str(), "re");
  if (f == nullptr) return 0;
  std::uint64_t lines = 0;
  char* line = nullptr;
  std::size_t size = 0;
  while (true) {
    const ssize_t got = ::getline(&line, &size, f);
    if (got < 0) break;
    if (std::string_view(line, static_cast<std::size_t>(got)).find(text) != std::string_view::npos) ++lines;
  }
  std::free(line);
  (void)std::fclose(f);
  return lines;
}

/// From the first statement until the text of all records is in the file. One producer is on its processor
/// and the back end on the other; with more, all threads share both.
template <class Variant> void measure_written_by(const run& r, int threads) {
  const int each = r.scaled(2'000'000, 200'000) / threads;
  const auto all = static_cast<std::uint64_t>(each) * static_cast<std::uint64_t>(threads);
  std::uint64_t passed = 0;
  {
    pinned_variant<Variant> v(r.make_setup());
    if (threads > 1) unpin();
    std::atomic<std::uint64_t> begin{~std::uint64_t{0}};
    run_producers(threads, [&](int, auto together) {
      const auto log = v->make_log();
      together();
      std::uint64_t now = wall_ns();
      std::uint64_t earliest = begin.load();
      while (now < earliest && !begin.compare_exchange_weak(earliest, now)) {
      }
      for (int i = 0; i < each; ++i)
        log.a(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i), static_cast<double>(i));
    });
    v->settle();
    passed = wall_ns() - begin.load();
    if (v->lost() != 0)
      throw std::runtime_error(r.variant + " lost " + std::to_string(v->lost()) + " records");
  }
  const std::uint64_t lines = count_lines(r.path(), "handled");
  ::unlink(r.path().c_str());
  if (lines != all)
    throw std::runtime_error(r.variant + " wrote " + std::to_string(lines) + " lines for " +
                             std::to_string(all) + " records");
  r.emit("until in the file", "rate", "million records/s",
         static_cast<double>(all) * 1e3 / static_cast<double>(passed), threads);
}

template <class Variant> void measure_written(const run& r) {
  for (int threads = 1; threads <= std::min(2, Variant::most_threads); ++threads)
    measure_written_by<Variant>(r, threads);
}

/// One producer at full speed; the processor time of all threads, divided by its records.
template <class Variant> void measure_cpu(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  const auto log = v->make_log();
  for (const std::uint64_t warm = wall_ns() + 5'000'000; wall_ns() < warm;)
    for (int n = 0; n < requests_per_batch; ++n) request_a<Variant>(log, records_per_request);
  v->settle();
  const auto enough = r.scaled<std::uint64_t>(100'000'000, 30'000'000);
  std::uint64_t records = 0;
  const std::uint64_t begin = wall_ns();
  const std::uint64_t cpu_before = process_cpu_ns();
  do {
    constexpr int requests = 32 * requests_per_batch;
    for (int n = 0; n < requests; ++n) request_a<Variant>(log, records_per_request);
    records += requests * records_per_request;
    settle_if_busy(*v);
  } while (wall_ns() - begin < enough);
  const std::uint64_t cpu = process_cpu_ns() - cpu_before;
  r.emit("A", "all threads", "ns/record", static_cast<double>(cpu) / static_cast<double>(records));
}

/// More threads than processors: what a record costs of its thread's processor time.
template <class Variant> void measure_threads(const run& r) {
  const std::vector<int> counts =
      r.quick ? std::vector<int>{1, 2, 4, 8} : std::vector<int>{1, 2, 4, 8, 16, 32};
  for (const int threads : counts) {
    pinned_variant<Variant> v(r.make_setup());
    unpin();
    const int requests = std::max(1, r.scaled(8'192, 2'048) / threads);
    std::atomic<std::uint64_t> cpu{0};
    run_producers(threads, [&](int, auto together) {
      const auto log = v->make_log();
      request_a<Variant>(log, records_per_request);
      together();
      const std::uint64_t before = thread_cpu_ns();
      for (int n = 0; n < requests; ++n) request_a<Variant>(log, records_per_request);
      cpu.fetch_add(thread_cpu_ns() - before);
    });
    v->settle();
    r.emit("A", "thread's own", "ns/record",
           static_cast<double>(cpu.load()) / (static_cast<double>(requests) * threads * records_per_request),
           threads);
    ::unlink(r.path().c_str());
  }
}

/// Threads that live for one request each, four at a time.
template <class Variant> void measure_churn(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  unpin();
  const int all = r.scaled(100'000, 4'000);
  const int at_once = 4;
  const std::uint64_t begin = wall_ns();
  for (int started = 0; started < all; started += at_once) {
    if (started % (all / 20) < at_once) {
      r.emit("resident", "memory", "KiB", static_cast<double>(resident_bytes()) / 1024, started);
      if (v->reported_memory() != 0)
        r.emit("threads' buffers", "memory", "KiB", static_cast<double>(v->reported_memory()) / 1024,
               started);
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < at_once; ++i)
      threads.emplace_back([&v] { request_a<Variant>(v->make_log(), records_per_request); });
    for (std::thread& t : threads) t.join();
  }
  const double us = static_cast<double>(wall_ns() - begin) * 1e-3;
  r.emit("resident", "memory", "KiB", static_cast<double>(resident_bytes()) / 1024, all);
  r.emit("a thread's life", "time", "us", us / all);
}

/// A process that logged and has nothing to do.
template <class Variant> void measure_idle(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  request_a<Variant>(v->make_log(), records_per_request);
  v->settle();
  std::this_thread::sleep_for(std::chrono::milliseconds(r.scaled(1000, 500))); // until back ends are at rest
  const std::uint64_t wall = wall_ns();
  const std::uint64_t cpu = process_cpu_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(r.scaled(2000, 500)));
  r.emit("idle", "share of a core", "%",
         100 * static_cast<double>(process_cpu_ns() - cpu) / static_cast<double>(wall_ns() - wall));
}

} // namespace bench
