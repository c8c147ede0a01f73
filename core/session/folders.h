#pragma once
// Inside core/session only: folders that appear whole or not at all.
#include <filesystem>

#include "core/base/result.h"

namespace vitrine::session {

/// A folder under a temporary name beside `final_name`, removed with the object unless it was published.
class NewFolder {
public:
    /// session if `final_name` exists and is not an empty folder, not_found if the folder it is to lie in is
    /// missing.
    static Result<NewFolder> make(const std::filesystem::path& final_name);
    NewFolder(NewFolder&& other) noexcept;
    NewFolder& operator=(NewFolder&&) = delete;
    ~NewFolder();

    const std::filesystem::path& path() const { return temporary_; }

    /// Flushes the folder's names and gives it its own. Its files have been flushed.
    Status publish();

private:
    NewFolder(std::filesystem::path final_name, std::filesystem::path temporary)
        : final_name_(std::move(final_name)), temporary_(std::move(temporary)) {}

    std::filesystem::path final_name_;
    std::filesystem::path temporary_; ///< empty once published
};

/// "work.vitrine/" and "work.vitrine" are the same folder.
std::filesystem::path without_slash(const std::filesystem::path& folder);

} // namespace vitrine::session
