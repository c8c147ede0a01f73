#include "core/session/zip_file.h"

#include <array>
#include <deque>
#include <system_error>

#include <fmt/format.h>
#include <zip.h>

#include "core/store/durable.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return text;
}

void report(zip_t*, double share, void* progress) {
    const auto& call = *static_cast<const Progress*>(progress);
    if (call) call(share, "packing");
}

int stop(zip_t*, void* cancel) { return static_cast<const CancelToken*>(cancel)->cancelled() ? 1 : 0; }

} // namespace

struct ZipWriter::Archive {
    fs::path final_name;
    fs::path temporary;
    zip_t* zip = nullptr;
    std::deque<std::string> texts; ///< libzip reads them as it closes

    Archive() = default;
    Archive(const Archive&) = delete;
    Archive& operator=(const Archive&) = delete;
    ~Archive() {
        if (zip != nullptr) zip_discard(zip);
        std::error_code ignored;
        if (!temporary.empty()) fs::remove(temporary, ignored);
    }

    Status add(const std::string& name, zip_source_t* source) {
        const zip_int64_t index =
            source == nullptr ? -1 : zip_file_add(zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
        if (index < 0) {
            if (source != nullptr) zip_source_free(source);
            return fail(Code::io, fmt::format("{} cannot be packed: {}.", name, zip_strerror(zip)));
        }
        constexpr zip_uint32_t fast = 1; // captures shrink little more at higher levels
        zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), ZIP_CM_DEFLATE, fast);
        return {};
    }
};

ZipWriter::ZipWriter(std::unique_ptr<Archive> archive) : archive_(std::move(archive)) {}
ZipWriter::ZipWriter(ZipWriter&&) noexcept = default;
ZipWriter::~ZipWriter() = default;

Result<ZipWriter> ZipWriter::create(const fs::path& file) {
    std::error_code ignored;
    if (fs::is_directory(file, ignored) || !fs::is_directory(store::folder_of(file), ignored))
        return fail(Code::io, fmt::format("Cannot write {}: it is a folder or in none.", file.string()));
    auto archive = std::make_unique<Archive>();
    archive->final_name = file;
    archive->temporary = store::temporary_name(file);
    int code = 0;
    archive->zip = zip_open(archive->temporary.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (archive->zip == nullptr)
        return fail(Code::io, fmt::format("Cannot write {}: {}.", file.string(), reason(code)));
    return ZipWriter(std::move(archive));
}

Status ZipWriter::add_text(const std::string& name, std::string text) {
    const std::string& kept = archive_->texts.emplace_back(std::move(text));
    return archive_->add(name, zip_source_buffer(archive_->zip, kept.data(), kept.size(), 0));
}

Status ZipWriter::add_file(const std::string& name, const fs::path& source) {
    return archive_->add(name, zip_source_file(archive_->zip, source.c_str(), 0, -1));
}

Status ZipWriter::finish(const CancelToken& cancel, const Progress& progress) {
    zip_t* const zip = archive_->zip;
    constexpr double step = 0.01;
    zip_register_progress_callback_with_state(zip, step, report, nullptr, const_cast<Progress*>(&progress));
    zip_register_cancel_callback_with_state(zip, stop, nullptr, const_cast<CancelToken*>(&cancel));
    if (zip_close(zip) != 0) {
        VITRINE_TRY(cancel.check());
        return fail(Code::io,
                    fmt::format("Cannot write {}: {}.", archive_->final_name.string(), zip_strerror(zip)));
    }
    archive_->zip = nullptr; // zip_close has freed it
    VITRINE_TRY(store::publish(archive_->temporary, archive_->final_name));
    archive_->temporary.clear();
    return {};
}

struct ZipReader::Archive {
    fs::path file;
    zip_t* zip = nullptr;

    Archive() = default;
    Archive(const Archive&) = delete;
    Archive& operator=(const Archive&) = delete;
    ~Archive() {
        if (zip != nullptr) zip_discard(zip);
    }

    tl::unexpected<Error> broken(const std::string& what) const {
        return fail(Code::malformed, fmt::format("{} is damaged: {}.", file.string(), what));
    }
};

ZipReader::ZipReader(std::unique_ptr<Archive> archive) : archive_(std::move(archive)) {}
ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader::~ZipReader() = default;

Result<ZipReader> ZipReader::open(const fs::path& file) {
    std::error_code ignored;
    if (!fs::exists(file, ignored))
        return fail(Code::not_found, fmt::format("There is no file {}.", file.string()));
    auto archive = std::make_unique<Archive>();
    archive->file = file;
    int code = 0;
    archive->zip = zip_open(file.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (archive->zip == nullptr)
        return fail(Code::malformed,
                    fmt::format("{} is not a zip that can be read: {}.", file.string(), reason(code)));
    return ZipReader(std::move(archive));
}

Result<std::vector<ZipReader::Entry>> ZipReader::entries() const {
    std::vector<Entry> entries;
    const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(archive_->zip, 0));
    entries.reserve(count);
    for (zip_uint64_t i = 0; i < count; ++i) {
        zip_stat_t info;
        constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE;
        if (zip_stat_index(archive_->zip, i, 0, &info) != 0 || (info.valid & needed) != needed)
            return archive_->broken("an entry has no name or size");
        entries.push_back({info.name, static_cast<std::int64_t>(info.size)});
    }
    return entries;
}

Status ZipReader::read(const std::string& name, std::int64_t limit,
                       const std::function<Status(std::span<const std::byte>)>& take) const {
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> entry(zip_fopen(archive_->zip, name.c_str(), 0),
                                                                  zip_fclose);
    if (!entry) return archive_->broken(fmt::format("{} is missing or packed in an unknown way", name));
    std::vector<std::byte> piece(std::size_t{1} << 20);
    std::int64_t total = 0;
    while (true) {
        const zip_int64_t got = zip_fread(entry.get(), piece.data(), piece.size());
        if (got == 0) return {};
        if (got < 0) return archive_->broken(fmt::format("{} cannot be unpacked", name));
        total += got;
        if (total > limit) return archive_->broken(fmt::format("{} is longer than it claims", name));
        VITRINE_TRY(take(std::span(piece).first(static_cast<std::size_t>(got))));
    }
}

} // namespace vitrine::session
