#include <faultline/logger.hpp>

extern const faultline::logger logger_of_other_file;
const faultline::logger logger_of_other_file = faultline::get_logger("bakery");
