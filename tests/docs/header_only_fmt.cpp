// A program that uses fmt header-only links with a faultline that uses the compiled one, of the same release.
#define FMT_HEADER_ONLY
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <faultline/faultline.hpp>

#include "docs/neighbours.hpp"

void log_with_header_only_fmt(faultline::logger lg) {
  FAULTLINE_SCOPE(lg);
  FAULTLINE_DEBUG(lg, "{} and {}", fmt::format("{:>4}", 7), std::vector<int>{1, 2});
  FAULTLINE_ERROR(lg, "header-only {:.1f}", 0.5);
}
