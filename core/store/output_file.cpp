#include "core/store/output_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <new>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace vitrine::store {
namespace {

using Sink = OutputFile::Sink;

/// HDF5's own part of an open file comes first: the library casts between the two.
struct DriverFile {
    H5FD_t base{};
    Sink* sink = nullptr;
    haddr_t allocated = 0; ///< "EOA": what HDF5 has given away
    haddr_t written = 0;   ///< "EOF": what was written
};

DriverFile* ours(H5FD_t* file) { return reinterpret_cast<DriverFile*>(file); }
const DriverFile* ours(const H5FD_t* file) { return reinterpret_cast<const DriverFile*>(file); }

/// The sink travels in the access property list as a pointer to a pointer: HDF5 copies what it points to.
H5FD_t* open_file(const char*, unsigned, hid_t access, haddr_t) {
    const auto* sink = static_cast<Sink* const*>(H5Pget_driver_info(access));
    auto* file = new (std::nothrow) DriverFile;
    if (file == nullptr) return nullptr;
    file->sink = *sink;
    return &file->base;
}

herr_t close_file(H5FD_t* file) {
    delete ours(file);
    return 0;
}

herr_t query(const H5FD_t*, unsigned long* flags) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

haddr_t get_allocated(const H5FD_t* file, H5FD_mem_t) { return ours(file)->allocated; }

herr_t set_allocated(H5FD_t* file, H5FD_mem_t, haddr_t address) {
    ours(file)->allocated = address;
    return 0;
}

haddr_t get_written(const H5FD_t* file, H5FD_mem_t) { return ours(file)->written; }

/// What was never written reads as zeros.
herr_t read_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t size, void* buffer) {
    auto* bytes = static_cast<char*>(buffer);
    while (size > 0) {
        const ssize_t got = ::pread(ours(file)->sink->descriptor, bytes, size, static_cast<off_t>(address));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        bytes += got;
        address += static_cast<haddr_t>(got);
        size -= static_cast<std::size_t>(got);
    }
    std::memset(bytes, 0, size);
    return 0;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t size, const void* buffer) {
    Sink& sink = *ours(file)->sink;
    ours(file)->written = std::max(ours(file)->written, address + size);
    const auto* bytes = static_cast<const char*>(buffer);
    while (size > 0 && sink.error == 0) {
        const ssize_t put = ::pwrite(sink.descriptor, bytes, size, static_cast<off_t>(address));
        if (put < 0) {
            if (errno != EINTR) sink.error = errno;
            continue;
        }
        bytes += put;
        address += static_cast<haddr_t>(put);
        size -= static_cast<std::size_t>(put);
    }
    return 0;
}

/// Called as the file closes: it becomes exactly as long as what HDF5 has given away.
herr_t cut(H5FD_t* file, hid_t, hbool_t) {
    DriverFile& open = *ours(file);
    if (open.allocated == open.written) return 0;
    if (open.sink->error == 0 && ::ftruncate(open.sink->descriptor, static_cast<off_t>(open.allocated)) != 0)
        open.sink->error = errno;
    open.written = open.allocated;
    return 0;
}

hid_t driver() {
    static const hid_t id = [] {
        H5FD_class_t functions{};
        functions.name = "vitrine-output";
        functions.maxaddr = (haddr_t{1} << 62) - 1;
        functions.fc_degree = H5F_CLOSE_STRONG;
        functions.fapl_size = sizeof(Sink*);
        functions.open = open_file;
        functions.close = close_file;
        functions.query = query;
        functions.get_eoa = get_allocated;
        functions.set_eoa = set_allocated;
        functions.get_eof = get_written;
        functions.read = read_bytes;
        functions.write = write_bytes;
        functions.truncate = cut;
        const H5FD_mem_t kinds[] = H5FD_FLMAP_DICHOTOMY;
        std::copy(std::begin(kinds), std::end(kinds), functions.fl_map);
        return H5FDregister(&functions);
    }();
    return id;
}

} // namespace

Result<OutputFile> OutputFile::create(const std::filesystem::path& path,
                                      const std::filesystem::path& shown_as) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return fail(Code::io, fmt::format("Cannot write {}: {}.", shown_as.string(), std::strerror(errno)));
    return OutputFile(shown_as, descriptor);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : shown_as_(std::move(other.shown_as_)), sink_(std::exchange(other.sink_, Sink{})) {}

OutputFile::~OutputFile() {
    if (sink_.descriptor >= 0) ::close(sink_.descriptor);
}

H5::FileAccPropList OutputFile::access() {
    H5::FileAccPropList list;
    Sink* sink = &sink_;
    if (H5Pset_driver(list.getId(), driver(), &sink) < 0)
        throw H5::PropListIException("H5Pset_driver", "the output driver cannot be used");
    return list;
}

Status OutputFile::status() const {
    if (sink_.error == 0) return {};
    return fail(Code::io,
                fmt::format("Cannot write {}: {}.", shown_as_.string(), std::strerror(sink_.error)));
}

} // namespace vitrine::store
