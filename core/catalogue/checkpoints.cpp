#include "core/catalogue/checkpoints.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>

namespace vitrine::catalogue {

namespace fs = std::filesystem;

std::optional<std::int64_t> step_of(const std::string& name) {
    static constexpr std::array<std::string_view, 5> words{"step", "checkpoint", "ckpt", "iter",
                                                           "global_step"};
    for (const std::string_view word : words) {
        if (!name.starts_with(word)) continue;
        std::string_view digits = std::string_view(name).substr(word.size());
        if (digits.starts_with('-') || digits.starts_with('_')) digits.remove_prefix(1);
        std::int64_t step = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
        if (error == std::errc() && end == digits.data() + digits.size() && digits.front() != '-')
            return step;
    }
    return std::nullopt;
}

std::vector<Checkpoint> checkpoints_in(const fs::path& folder) {
    std::vector<Checkpoint> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        const std::string name = entry->path().filename().string();
        const auto step = step_of(name);
        if (step && fs::exists(entry->path() / "config.json", ignored))
            found.push_back({name, *step, entry->path()});
    }
    std::sort(found.begin(), found.end(), [](const Checkpoint& a, const Checkpoint& b) {
        return a.step != b.step ? a.step < b.step : a.name < b.name;
    });
    const auto same = std::unique(found.begin(), found.end(),
                                  [](const Checkpoint& a, const Checkpoint& b) { return a.step == b.step; });
    found.erase(same, found.end());
    return found;
}

std::vector<Checkpoint> checkpoints_of(const fs::path& folder) {
    // "DIR/" and "DIR/." name the same folder as "DIR".
    std::error_code error;
    const fs::path whole = fs::absolute(folder, error).lexically_normal();
    const fs::path own = whole.has_filename() ? whole : whole.parent_path();
    if (step_of(own.filename().string())) return checkpoints_in(own.parent_path());
    return checkpoints_in(own);
}

} // namespace vitrine::catalogue
