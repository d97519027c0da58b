// The statements as LTTng-UST tracepoints. LTTng reads this file several times: no `#pragma once`.
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "lttng_events.hpp"

#if !defined(BENCH_PEERS_LTTNG_EVENTS_HPP) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define BENCH_PEERS_LTTNG_EVENTS_HPP
#include <cstdint>

#include <lttng/tracepoint.h>

// clang-format off
LTTNG_UST_TRACEPOINT_EVENT(bench, request_handled,
  LTTNG_UST_TP_ARGS(std::uint64_t, request, std::uint32_t, bytes, double, us),
  LTTNG_UST_TP_FIELDS(
    lttng_ust_field_integer(std::uint64_t, request, request)
    lttng_ust_field_integer(std::uint32_t, bytes, bytes)
    lttng_ust_field_float(double, us, us)))

LTTNG_UST_TRACEPOINT_EVENT(bench, user_shard,
  LTTNG_UST_TP_ARGS(const char*, user, int, shard),
  LTTNG_UST_TP_FIELDS(
    lttng_ust_field_string(user, user)
    lttng_ust_field_integer(int, shard, shard)))

LTTNG_UST_TRACEPOINT_EVENT(bench, request_failed,
  LTTNG_UST_TP_ARGS(int, error),
  LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, error, error)))
// clang-format on

#endif
#include <lttng/tracepoint-event.h>
