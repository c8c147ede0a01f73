#include <system_error>

#include <fmt/format.h>

#include "core/catalogue/stores.h"

namespace vitrine::catalogue {

namespace fs = std::filesystem;

Found read_lm_studio(const fs::path& models) {
    Found found;
    for (const fs::path& publisher : entries_of(models, found.problem)) {
        std::error_code ignored;
        if (!fs::is_directory(publisher, ignored)) continue;
        std::string unread;
        for (const fs::path& folder : entries_of(publisher, unread)) {
            if (!fs::is_directory(folder, ignored)) continue;
            const auto name = fmt::format("{}/{}", publisher.filename().string(), folder.filename().string());
            for (Entry& entry : models_in(folder, name))
                found.entries.push_back(std::move(entry));
        }
        if (!unread.empty()) found.problem = unread;
    }
    return found;
}

} // namespace vitrine::catalogue
