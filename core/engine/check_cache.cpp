#include "core/engine/check_cache.h"

#include "core/base/cache_folder.h"
#include "core/base/hash.h"
#include "core/base/version.h"

namespace vitrine::engine {

namespace {

namespace fs = std::filesystem;

Json key_of(const OpenModel& model) {
    return {{"weights_hash", model.model.weights_hash},
            {"device", model.loaded->device().name},
            {"driver", model.loaded->device().driver},
            {"precision", backend::name_of(model.loaded->precision())},
            {"version", version()}};
}

/// Empty where nothing can be kept.
fs::path file_of(const OpenModel& model) {
    const fs::path cache = cache_folder();
    if (cache.empty() || model.model.weights_hash.empty()) return {};
    return cache / "checks" / (sha256(canonical_json(key_of(model))) + ".json");
}

Json json_of(const SelfCheck& check) {
    return {{"max_abs_dlogit", check.max_abs_dlogit},
            {"kl", check.kl},
            {"argmax_agreement", check.argmax_agreement},
            {"band", check.band},
            {"passed", check.passed},
            {"first_divergent", check.first_divergent},
            {"ms", check.ms},
            {"measured", check.measured},
            {"accepted", check.accepted}};
}

std::string seal_of(const Json& key, const Json& check) {
    return sha256(canonical_json({{"key", key}, {"check", check}}));
}

} // namespace

std::optional<SelfCheck> known_check(const OpenModel& model) {
    const fs::path file = file_of(model);
    std::error_code ignored;
    if (file.empty() || !fs::exists(file, ignored)) return std::nullopt;
    const auto entry = read_json(file);
    const Json key = key_of(model);
    try {
        if (!entry || entry->at("key") != key || entry->at("seal") != seal_of(key, entry->at("check")))
            return std::nullopt;
        const Json& json = entry->at("check");
        SelfCheck check;
        check.device = model.loaded->device().name;
        check.precision = backend::name_of(model.loaded->precision());
        json.at("max_abs_dlogit").get_to(check.max_abs_dlogit);
        json.at("kl").get_to(check.kl);
        json.at("argmax_agreement").get_to(check.argmax_agreement);
        json.at("band").get_to(check.band);
        json.at("passed").get_to(check.passed);
        json.at("first_divergent").get_to(check.first_divergent);
        json.at("ms").get_to(check.ms);
        json.at("measured").get_to(check.measured);
        json.at("accepted").get_to(check.accepted);
        check.cached = true;
        return check;
    } catch (const nlohmann::json::exception&) { // of another shape than this version writes
        return std::nullopt;
    }
}

void keep_check(const OpenModel& model, const SelfCheck& check) {
    const fs::path file = file_of(model);
    if (file.empty()) return;
    const Json key = key_of(model);
    // As it will be read back, so that the seal fits: what is not finite is null, and such an entry is no
    // entry.
    const auto json = parse_json(dump_json(json_of(check)), "check");
    if (json)
        write_cache(file, dump_json({{"key", key}, {"check", *json}, {"seal", seal_of(key, *json)}}, 1));
}

} // namespace vitrine::engine
