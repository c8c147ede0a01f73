#include "core/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>

namespace vitrine {

void set_up_log(bool quiet) {
    auto logger =
        std::make_shared<spdlog::logger>("vitrine", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("vitrine: %l: %v");
    logger->set_level(quiet ? spdlog::level::off : spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
}

void warn(const std::string& sentence) { spdlog::warn("{}", sentence); }

} // namespace vitrine
