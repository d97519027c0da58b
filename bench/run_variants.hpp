// The `main` of every peer: runs one variant in one scenario.
//
//   bench_PEER --list                                  variants and their scenarios, a line of JSON each
//   bench_PEER SCENARIO VARIANT quick|full FOLDER      figures, a line of JSON each
//
// Exits with 1 and one line on standard error when the run failed, with 3 and the reason when the variant is
// not available.
#pragma once

#include <cstdio>
#include <exception>
#include <iterator>
#include <string_view>

#include "adapter.hpp"
#include "run.hpp"
#include "scenarios/calls.hpp"
#include "scenarios/checked.hpp"
#include "scenarios/failing.hpp"
#include "scenarios/latency.hpp"
#include "scenarios/whole_process.hpp"

namespace bench {

inline constexpr const char* scenario_names[] = {
    "text",           "held",       "latency",  "trip",        "written", "cpu",  "threads",     "scope_size",
    "argument_bytes", "error_rate", "disabled", "empty_scope", "churn",   "idle", "instructions"};

template <class Variant, unsigned Bit, class Measure>
bool run_if(const run& r, std::string_view name, Measure measure) {
  if constexpr ((Variant::scenarios & Bit) != 0) {
    if (r.scenario == name) {
      measure();
      return true;
    }
  }
  return false;
}

template <class Variant> bool run_scenario(const run& r) {
  using V = Variant;
  return run_if<V, scenario_text>(r, "text", [&] { check_text<V>(r); }) ||
         run_if<V, scenario_held>(r, "held", [&] { measure_held<V>(r); }) ||
         run_if<V, scenario_latency>(r, "latency", [&] { measure_latency<V>(r); }) ||
         run_if<V, scenario_trip>(r, "trip", [&] { measure_trip<V>(r); }) ||
         run_if<V, scenario_written>(r, "written", [&] { measure_written<V>(r); }) ||
         run_if<V, scenario_cpu>(r, "cpu", [&] { measure_cpu<V>(r); }) ||
         run_if<V, scenario_threads>(r, "threads", [&] { measure_threads<V>(r); }) ||
         run_if<V, scenario_scope_size>(r, "scope_size", [&] { measure_scope_size<V>(r); }) ||
         run_if<V, scenario_argument_bytes>(r, "argument_bytes", [&] { measure_argument_bytes<V>(r); }) ||
         run_if<V, scenario_error_rate>(r, "error_rate", [&] { measure_error_rate<V>(r); }) ||
         run_if<V, scenario_disabled>(r, "disabled", [&] { measure_disabled<V>(r); }) ||
         run_if<V, scenario_empty_scope>(r, "empty_scope", [&] { measure_empty_scope<V>(r); }) ||
         run_if<V, scenario_churn>(r, "churn", [&] { measure_churn<V>(r); }) ||
         run_if<V, scenario_idle>(r, "idle", [&] { measure_idle<V>(r); }) ||
         run_if<V, scenario_instructions>(r, "instructions", [&] { run_instructions<V>(r); });
}

template <class Variant> void list_variant() {
  constexpr const char* fates[] = {"nothing", "held", "written"};
  std::printf("{\"variant\": \"%.*s\", \"records\": \"%s\", \"scenarios\": [",
              static_cast<int>(Variant::name.size()), Variant::name.data(),
              fates[static_cast<int>(Variant::records)]);
  const char* between = "";
  for (std::size_t i = 0; i < std::size(scenario_names); ++i)
    if ((Variant::scenarios >> i & 1U) != 0) {
      std::printf("%s\"%s\"", between, scenario_names[i]);
      between = ", ";
    }
  std::printf("]}\n");
}

template <class... Variants> int run_variants(int count, char** words) {
  if (count == 2 && std::string_view(words[1]) == "--list") {
    (list_variant<Variants>(), ...);
    return 0;
  }
  if (count != 5) {
    std::fprintf(stderr, "usage: %s --list | SCENARIO VARIANT quick|full FOLDER\n", words[0]);
    return 2;
  }
  const run r{words[1], words[2], words[4], std::string_view(words[3]) == "quick"};
  try {
    const bool ran = ((Variants::name == r.variant && run_scenario<Variants>(r)) || ...);
    ::unlink(r.path().c_str());
    if (!ran) std::fprintf(stderr, "%s does not run %s\n", r.variant.c_str(), r.scenario.c_str());
    return ran ? 0 : 2;
  } catch (const unavailable& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 3;
  } catch (const std::exception& e) {
    ::unlink(r.path().c_str());
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

} // namespace bench
