#include <utility>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>

namespace faultline {

callback_handler::callback_handler(std::function<void(const batch&)> f) : f_(std::move(f)) {
  if (!f_) throw configuration_error("callback", "empty", "there is nothing to call");
}

void callback_handler::write(const batch& records) { f_(records); }

} // namespace faultline
