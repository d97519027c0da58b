// One run of one variant in one scenario: what it was asked for, and how it says what it measured.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <unistd.h>

#include "adapter.hpp"
#include "timing.hpp"

namespace bench {

struct run {
  std::string scenario;
  std::string variant;
  std::string folder; ///< for output, on tmpfs
  bool quick = false;

  [[nodiscard]] std::string path() const {
    return folder + "/" + variant + "." + std::to_string(::getpid()) + ".log";
  }
  [[nodiscard]] setup make_setup(bool disabled = false) const { return {path(), disabled}; }

  template <class T> [[nodiscard]] T scaled(T whole, T quickly) const { return quick ? quickly : whole; }

  /// One figure, as one line of JSON on standard output: what was done (`what`), with how much of it (`x`,
  /// where a plot has an axis for it), which figure of it (`figure`), and in which unit.
  void emit(std::string_view what, std::string_view figure, std::string_view unit, double value,
            double x = 0) const {
    std::printf("{\"scenario\": \"%s\", \"variant\": \"%s\", \"what\": \"%.*s\", \"x\": %g, "
                "\"figure\": \"%.*s\", \"unit\": \"%.*s\", \"value\": %.9g}\n",
                scenario.c_str(), variant.c_str(), static_cast<int>(what.size()), what.data(), x,
                static_cast<int>(figure.size()), figure.data(), static_cast<int>(unit.size()), unit.data(),
                value);
  }
};

/// Makes the variant with its threads on the back ends' processor, then takes the producer's.
template <class Variant> class pinned_variant {
 public:
  explicit pinned_variant(const setup& s) : variant_(on_back_end_processor(s)) { pin_to(producer_processor); }
  Variant* operator->() noexcept { return &variant_; }
  Variant& operator*() noexcept { return variant_; }

 private:
  static const setup& on_back_end_processor(const setup& s) {
    pin_to(back_end_processor);
    return s;
  }
  Variant variant_;
};

/// One request with `records` statements A.
template <class Variant> void request_a(const typename Variant::log& log, int records) {
  const typename Variant::request r(log);
  for (int i = 0; i < records; ++i)
    log.a(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i), static_cast<double>(i));
}

/// One request with `records` statements B.
template <class Variant>
void request_b(const typename Variant::log& log, const std::string& user, int records) {
  const typename Variant::request r(log);
  for (int i = 0; i < records; ++i) log.b(user, i);
}

} // namespace bench
