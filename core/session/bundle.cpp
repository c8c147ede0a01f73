#include "core/session/bundle.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <system_error>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/mapped_file.h"
#include "core/base/scratch_folder.h"
#include "core/session/folders.h"
#include "core/session/journal.h"
#include "core/session/session.h"
#include "core/session/writer_lock.h"
#include "core/session/zip_file.h"
#include "core/store/durable.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;

constexpr const char* manifest_name = "manifest.json";
constexpr std::int64_t manifest_limit = std::int64_t{64} << 20;

Result<BundleFile> described(const std::string& name, const fs::path& file) {
    VITRINE_ASSIGN(const MappedFile mapped, MappedFile::open(file));
    Sha256 hash;
    hash.add(mapped.bytes());
    return BundleFile{name, static_cast<std::int64_t>(mapped.bytes().size()), hash.finish()};
}

/// {"format":"vitrine-session","version":1,"files":[{"name","bytes","sha256"}]}
std::string manifest_of(const std::vector<BundleFile>& files) {
    Json list = Json::array();
    for (const BundleFile& file : files)
        list.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.hash}});
    return dump_json({{"format", "vitrine-session"}, {"version", 1}, {"files", list}}, 1);
}

/// The journal, or a plain name among the activations: whatever else a bundle names could lead out of the
/// folder.
bool is_session_file(const std::string& name) {
    if (name == "session.sqlite") return true;
    constexpr std::string_view folder = "activations/";
    if (!name.starts_with(folder) || name.size() == folder.size() || name[folder.size()] == '.') return false;
    return std::all_of(name.begin() + folder.size(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
    });
}

/// Captures of a step, complete or not; other files in the folder are not ours to remove.
bool is_step_file(const std::string& name) {
    return name.starts_with("activations/step-") && (name.ends_with(".h5") || name.ends_with(".tmp"));
}

Result<std::vector<BundleFile>> read_manifest(const ZipReader& zip, const fs::path& path) {
    std::string text;
    VITRINE_TRY(zip.read(manifest_name, manifest_limit, [&](std::span<const std::byte> piece) -> Status {
        text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        return {};
    }));
    const std::string what = fmt::format("The manifest of {}", path.string());
    VITRINE_ASSIGN(const Json manifest, parse_json(text, what));
    try {
        if (manifest.at("format") != "vitrine-session" || manifest.at("version") != 1)
            return fail(Code::unsupported, fmt::format("{} is of another kind or of a newer version.", what));
        std::vector<BundleFile> files;
        for (const Json& file : manifest.at("files"))
            files.push_back({file.at("name"), file.at("bytes"), file.at("sha256")});
        return files;
    } catch (const nlohmann::json::exception&) {
        return fail(Code::malformed, fmt::format("{} is not one of a session.", what));
    }
}

/// Manifest and directory of the zip name the same files, each once and each allowed, and they fit the disk.
Status check_manifest(const std::vector<BundleFile>& files, const std::vector<ZipReader::Entry>& entries,
                      const fs::path& zip, const fs::path& target) {
    std::map<std::string, std::int64_t> claimed;
    std::uintmax_t total = 0;
    for (const BundleFile& file : files) {
        if (!is_session_file(file.name) || file.bytes < 0 || !claimed.emplace(file.name, file.bytes).second)
            return fail(Code::malformed, fmt::format("{} names \"{}\", which is no file of a session.",
                                                     zip.string(), file.name));
        total += static_cast<std::uintmax_t>(file.bytes);
    }
    if (!claimed.contains("session.sqlite"))
        return fail(Code::malformed, fmt::format("{} holds no session.", zip.string()));
    std::size_t found = 0;
    for (const ZipReader::Entry& entry : entries) {
        if (entry.name == manifest_name) continue;
        const auto match = claimed.find(entry.name);
        if (match == claimed.end() || match->second != entry.bytes)
            return fail(Code::malformed, fmt::format("{} holds \"{}\", which is not as its manifest says.",
                                                     zip.string(), entry.name));
        ++found;
    }
    if (found != claimed.size())
        return fail(Code::malformed, fmt::format("{} lacks files that its manifest names.", zip.string()));
    std::error_code error;
    const auto room = fs::space(target, error);
    if (!error && total > room.available)
        return fail(Code::io, fmt::format("{} needs {} bytes, the disk has {}: make room on it.",
                                          zip.string(), total, room.available));
    return {};
}

Status unpack(const ZipReader& zip, const BundleFile& file, const fs::path& folder,
              const CancelToken& cancel) {
    const fs::path target = folder / file.name;
    std::ofstream stream(target, std::ios::binary);
    Sha256 hash;
    VITRINE_TRY(zip.read(file.name, file.bytes, [&](std::span<const std::byte> piece) -> Status {
        hash.add(piece);
        stream.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
        return cancel.check();
    }));
    stream.close();
    if (!stream)
        return fail(Code::io, fmt::format("{} cannot be unpacked: make room on the disk.", file.name));
    if (hash.finish() != file.hash)
        return fail(Code::malformed,
                    fmt::format("{} in the bundle is damaged: its hash differs.", file.name));
    return store::sync_path(target);
}

/// A journal made by hand could point its artifacts at any file of the machine.
Status check_journal(const fs::path& folder, const std::vector<BundleFile>& files) {
    VITRINE_ASSIGN(SQLite::Database database, open_journal(folder));
    VITRINE_TRY(prepare_journal(folder, database));
    return guarded(folder, [&]() -> Status {
        for (const std::string& file : files_of(database))
            if (std::none_of(files.begin(), files.end(),
                             [&](const BundleFile& known) { return known.name == file; }))
                return fail(Code::malformed,
                            fmt::format("The bundle's journal names \"{}\", which the bundle lacks.", file));
        return {};
    });
}

} // namespace

Result<std::vector<BundleFile>> export_session(const fs::path& given, const fs::path& zip,
                                               const CancelToken& cancel, const Progress& progress) {
    const fs::path folder = without_slash(given);
    VITRINE_ASSIGN(ZipWriter writer, ZipWriter::create(zip));
    VITRINE_TRY(check_exists(folder));
    VITRINE_ASSIGN(SQLite::Database database, open_journal_to_read(folder));
    return guarded(folder, [&]() -> Result<std::vector<BundleFile>> {
        VITRINE_ASSIGN(const ScratchFolder scratch, ScratchFolder::make());
        const fs::path copy = journal_file(scratch.path());
        copy_journal(database, copy);
        SQLite::Database copied(copy.string());
        VITRINE_ASSIGN(BundleFile journal, described("session.sqlite", copy));
        std::vector<BundleFile> files = {std::move(journal)};
        for (const std::string& name : files_of(copied)) {
            VITRINE_TRY(cancel.check());
            VITRINE_ASSIGN(BundleFile file, described(name, folder / name));
            files.push_back(std::move(file));
        }
        VITRINE_TRY(writer.add_text(manifest_name, manifest_of(files)));
        for (const BundleFile& file : files)
            VITRINE_TRY(
                writer.add_file(file.name, file.name == "session.sqlite" ? copy : folder / file.name));
        VITRINE_TRY(writer.finish(cancel, progress));
        return files;
    });
}

Result<std::vector<BundleFile>> import_session(const fs::path& zip_path, const fs::path& given,
                                               const CancelToken& cancel, const Progress& progress) {
    const fs::path folder = without_slash(given);
    VITRINE_ASSIGN(const ZipReader zip, ZipReader::open(zip_path));
    VITRINE_ASSIGN(const std::vector<BundleFile> files, read_manifest(zip, zip_path));
    VITRINE_ASSIGN(const std::vector<ZipReader::Entry> entries, zip.entries());
    VITRINE_ASSIGN(NewFolder fresh, NewFolder::make(folder));
    VITRINE_TRY(check_manifest(files, entries, zip_path, fresh.path()));
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (progress) progress(static_cast<double>(i) / static_cast<double>(files.size()), "unpacking");
        VITRINE_TRY(unpack(zip, files[i], fresh.path(), cancel));
    }
    VITRINE_TRY(check_journal(fresh.path(), files));
    VITRINE_TRY(fresh.publish());
    return files;
}

Result<Cleaned> clean_session(const fs::path& given) {
    const fs::path folder = without_slash(given);
    VITRINE_TRY(check_exists(folder));
    VITRINE_ASSIGN(SQLite::Database database, open_journal(folder));
    VITRINE_ASSIGN(const WriterLock lock, WriterLock::take(folder));
    VITRINE_TRY(prepare_journal(folder, database));
    return guarded(folder, [&]() -> Result<Cleaned> {
        const std::vector<std::string> named = files_of(database);
        const std::set<std::string> kept(named.begin(), named.end());
        Cleaned cleaned;
        for (const auto& entry : fs::directory_iterator(folder / "activations")) {
            const std::string name = "activations/" + entry.path().filename().string();
            if (kept.contains(name) || !entry.is_regular_file() || !is_step_file(name)) continue;
            cleaned.removed.push_back({name, static_cast<std::int64_t>(entry.file_size()), ""});
        }
        for (const BundleFile& file : cleaned.removed) {
            fs::remove(folder / file.name);
            cleaned.freed += file.bytes;
        }
        const auto before = static_cast<std::int64_t>(fs::file_size(journal_file(folder)));
        database.exec("VACUUM");
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        cleaned.freed += before - static_cast<std::int64_t>(fs::file_size(journal_file(folder)));
        return cleaned;
    });
}

} // namespace vitrine::session
