// The base of handlers that pass what they are given to others.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <faultline/configuration_error.hpp>
#include <faultline/handler.hpp>

#include "handlers/handler_access.hpp"

namespace faultline::detail {

/// The runtime knows the wrapping handler only, so what a wrapped one loses is counted for both. Flusher
/// thread only.
class wrapping_handler : public handler {
 public:
  /// The handlers that this one calls on the thread that calls it; some may be null.
  [[nodiscard]] virtual std::array<handler*, 2> same_thread() const noexcept = 0;

 protected:
  /// Calls and adds what `inner` lost meanwhile to this handler's count, also when the call throws.
  template <class Call> void forward(const handler& inner, Call&& call) {
    const loss_tally tally(*this, inner);
    call();
  }

  /// The same for a batch that is written.
  void forward(handler& inner, const batch& records) {
    forward(inner, [&] { handler_access::write(inner, records); });
  }

  /// Throws `configuration_error` for null.
  static handler_ptr required(handler_ptr inner, std::string_view parameter) {
    if (!inner) throw configuration_error(parameter, "null", "there is no handler");
    return inner;
  }

 private:
  class loss_tally {
   public:
    loss_tally(wrapping_handler& outer, const handler& inner) noexcept
        : outer_(outer), inner_(inner), lost_before_(inner.lost()), dropped_before_(inner.dropped()) {}
    loss_tally(const loss_tally&) = delete;
    loss_tally& operator=(const loss_tally&) = delete;
    ~loss_tally() {
      const std::uint64_t dropped = inner_.dropped() - dropped_before_;
      outer_.report_dropped(dropped);
      outer_.report_lost(inner_.lost() - lost_before_ - dropped);
    }

   private:
    wrapping_handler& outer_;
    const handler& inner_;
    const std::uint64_t lost_before_;
    const std::uint64_t dropped_before_;
  };
};

} // namespace faultline::detail
