#include "handlers/compress_file.hpp"

#if FAULTLINE_HAS_ZSTD
#include <cerrno>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>
#include <vector>

#include <zstd.h>
#endif

namespace faultline::detail {

#if FAULTLINE_HAS_ZSTD
namespace {

/// A slice takes about a millisecond, so that a handler that ends waits no longer.
constexpr std::size_t slice_bytes = 256U << 10;

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

void check_open(const own_descriptor& file, const system_calls& calls) {
  if (!file.is_open(calls)) fail(EBADF, "cannot compress: the program closed a descriptor");
}

void write_all(const own_descriptor& to, std::string_view bytes, const system_calls& calls) {
  while (!bytes.empty()) {
    check_open(to, calls);
    const ::ssize_t count = calls.write(to.number, bytes.data(), bytes.size());
    if (count > 0)
      bytes.remove_prefix(static_cast<std::size_t>(count));
    else if (count == 0 || errno != EINTR)
      fail(count == 0 ? EIO : errno, "cannot write the compressed file");
  }
}

std::size_t read_some(const own_descriptor& from, std::vector<char>& into, const system_calls& calls) {
  for (;;) {
    check_open(from, calls);
    const ::ssize_t count = calls.read(from.number, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) fail(errno, "cannot read the old file");
  }
}

struct context_deleter {
  void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
};

} // namespace

bool can_compress() noexcept { return true; }

std::optional<std::uint64_t> compress_file(const own_descriptor& from, const own_descriptor& to,
                                           const std::atomic<bool>& cancelled, const system_calls& calls) {
  const std::unique_ptr<ZSTD_CCtx, context_deleter> context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<char> plain(slice_bytes);
  std::vector<char> packed(ZSTD_CStreamOutSize());
  for (std::uint64_t bytes = 0;;) {
    // Relaxed: the flag orders nothing else.
    if (cancelled.load(std::memory_order_relaxed)) return std::nullopt;
    const std::size_t size = read_some(from, plain, calls);
    ZSTD_inBuffer in{plain.data(), size, 0};
    const ZSTD_EndDirective mode = size == 0 ? ZSTD_e_end : ZSTD_e_continue;
    std::size_t left = 0;
    do {
      ZSTD_outBuffer out{packed.data(), packed.size(), 0};
      left = ZSTD_compressStream2(context.get(), &out, &in, mode);
      if (ZSTD_isError(left) != 0) fail(EIO, ZSTD_getErrorName(left));
      write_all(to, {packed.data(), out.pos}, calls);
    } while (mode == ZSTD_e_end ? left != 0 : in.pos < in.size);
    if (size == 0) return bytes;
    bytes += size;
  }
}
#else
bool can_compress() noexcept { return false; }

std::optional<std::uint64_t> compress_file(const own_descriptor&, const own_descriptor&,
                                           const std::atomic<bool>&, const system_calls&) {
  return std::nullopt;
}
#endif

} // namespace faultline::detail
