#include "core/session/folders.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/store/durable.h"

namespace vitrine::session {

namespace fs = std::filesystem;

fs::path without_slash(const fs::path& folder) {
    return folder.has_filename() ? folder : folder.parent_path();
}

Result<NewFolder> NewFolder::make(const fs::path& final_name) {
    std::error_code error;
    if (fs::exists(final_name, error) && !fs::is_empty(final_name, error))
        return fail(Code::session,
                    fmt::format("{} exists already: choose another name.", final_name.string()));
    const fs::path parent = store::folder_of(final_name);
    if (!fs::is_directory(parent, error))
        return fail(Code::not_found, fmt::format("Cannot make the session {}: there is no folder {}.",
                                                 final_name.string(), parent.string()));
    NewFolder folder(final_name, store::temporary_name(final_name));
    fs::remove_all(folder.temporary_, error);
    fs::create_directory(folder.temporary_, error);
    if (!error) fs::create_directory(folder.temporary_ / "activations", error);
    if (error)
        return fail(Code::io,
                    fmt::format("Cannot make the session {}: {}.", final_name.string(), error.message()));
    return folder;
}

NewFolder::NewFolder(NewFolder&& other) noexcept
    : final_name_(std::move(other.final_name_)), temporary_(std::exchange(other.temporary_, {})) {}

NewFolder::~NewFolder() {
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Status NewFolder::publish() {
    VITRINE_TRY(store::sync_path(temporary_ / "activations"));
    VITRINE_TRY(store::sync_path(temporary_));
    if (::rename(temporary_.c_str(), final_name_.c_str()) != 0)
        return fail(Code::io, fmt::format("Cannot make the session {}: {}.", final_name_.string(),
                                          std::strerror(errno)));
    temporary_.clear();
    return store::sync_path(store::folder_of(final_name_));
}

} // namespace vitrine::session
