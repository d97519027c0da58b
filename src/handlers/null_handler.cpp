#include <memory>

#include <faultline/handlers.hpp>

namespace faultline {
namespace {

class null_handler final : public handler {
 public:
  void write(const batch&) override {}
};

} // namespace

handler_ptr make_null_handler() { return std::make_shared<null_handler>(); }

} // namespace faultline
