// The error of a wrong option, thrown where the option is set and never later.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <faultline/export.hpp>

namespace faultline {

/// Thrown by set-up calls for a value that cannot be used. `what()` reads "OPTION: VALUE: REASON".
/// Nothing in faultline throws once logging runs.
class FAULTLINE_API configuration_error : public std::invalid_argument {
 public:
  /// An error of `option`, for the checks of handlers and formatters of one's own, too.
  configuration_error(std::string_view option, std::string_view value, std::string_view reason)
      : std::invalid_argument(std::string(option) + ": '" + std::string(value) + "': " + std::string(reason)),
        option_(option), value_(value) {}

  /// The name of the option, as it is spelled in its struct or parameter list.
  [[nodiscard]] const std::string& option() const noexcept { return option_; }
  /// The refused value as text.
  [[nodiscard]] const std::string& value() const noexcept { return value_; }

 private:
  std::string option_;
  std::string value_;
};

} // namespace faultline
