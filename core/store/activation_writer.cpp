#include "core/store/activation_writer.h"

#include <cmath>
#include <optional>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "core/base/hash.h"
#include "core/store/durable.h"
#include "core/store/hdf5_guard.h"
#include "core/store/hdf5_types.h"
#include "core/store/output_file.h"

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

void remove_quietly(const fs::path& file) {
    std::error_code ignored;
    fs::remove(file, ignored);
}

/// One contiguous piece, written whole: no fill, and no time stamps, so that equal content is equal bytes.
H5::DSetCreatPropList creation_properties() {
    H5::DSetCreatPropList properties;
    properties.setFillTime(H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(properties.getId(), false);
    return properties;
}

H5::LinkCreatPropList parents_are_made() {
    const H5::LinkCreatPropList properties;
    H5Pset_create_intermediate_group(properties.getId(), 1);
    return properties;
}

Result<std::vector<std::uint16_t>> to_halves(std::span<const float> values, std::string_view name) {
    std::vector<std::uint16_t> halves(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        halves[i] = float_to_half(values[i]);
        if ((halves[i] & 0x7FFFU) == 0x7C00U && std::isfinite(values[i]))
            return fail(
                Code::out_of_range,
                fmt::format("{} holds {}, which float16 cannot: store it as float32.", name, values[i]));
    }
    return halves;
}

} // namespace

struct ActivationWriter::File {
    fs::path final_name;
    fs::path temporary;
    DType stored = DType::f32;
    std::optional<OutputFile> output;
    std::optional<H5::H5File> hdf5; ///< writes into `output`: closed before it
    std::set<std::string, std::less<>> names;
    std::vector<Artifact> artifacts;

    ~File() { discard(); }

    std::string action() const { return fmt::format("Cannot write {}", final_name.string()); }

    Status close() {
        Status closed;
        if (hdf5)
            closed = guarded(Code::io, action(), [&]() -> Status {
                hdf5->close();
                return output->status();
            });
        hdf5.reset();
        output.reset();
        return closed;
    }

    void discard() {
        (void)close();
        if (!temporary.empty()) remove_quietly(temporary);
        temporary.clear();
    }

    Status check_name(std::string_view path) const {
        if (!hdf5) return fail(Code::internal, "The activation file is no longer open.");
        if (path.size() < 2 || path.front() != '/' || path.back() == '/' || path.find("//") != path.npos)
            return fail(Code::internal, fmt::format("\"{}\" cannot name a data set.", path));
        if (names.contains(path))
            return fail(Code::internal, fmt::format("{} is already in {}.", path, final_name.string()));
        return {};
    }

    Status put(const std::string& kind, std::string_view path, const H5::DataType& type, std::string dtype,
               const Shape& shape, std::span<const std::byte> bytes, const std::vector<std::string>* axes,
               std::string_view hook) {
        return guarded(Code::io, action(), [&]() -> Status {
            const std::string name(path);
            const H5::DataSet set = hdf5->createDataSet(name, type, space_of(shape), creation_properties(),
                                                        H5::DSetAccPropList::DEFAULT, parents_are_made());
            if (!bytes.empty()) set.write(bytes.data(), type);
            if (axes != nullptr) write_attribute(set, "axes", *axes);
            if (!hook.empty()) write_attribute(set, "hook", std::string(hook));
            VITRINE_TRY(output->status());
            Sha256 hash;
            hash.add(bytes);
            names.insert(name);
            artifacts.push_back({kind, final_name.string(), name, std::move(dtype), shape, hash.finish(),
                                 static_cast<std::int64_t>(bytes.size())});
            return {};
        });
    }

    Status put_values(const std::string& kind, std::string_view path, const TensorView& values,
                      const std::vector<std::string>& axes, std::string_view hook) {
        VITRINE_TRY(check_name(path));
        if (axes.size() != values.shape.size())
            return fail(Code::internal, fmt::format("{} has {} axes but {} names for them.", path,
                                                    values.shape.size(), axes.size()));
        if (values.dtype == DType::bf16)
            return fail(Code::unsupported, fmt::format("{} is bfloat16, which HDF5 cannot hold.", path));
        if (!hook.empty() && values.dtype == DType::f32 && stored == DType::f16) {
            const auto* first = reinterpret_cast<const float*>(values.data);
            VITRINE_ASSIGN(const std::vector<std::uint16_t> halves,
                           to_halves({first, static_cast<std::size_t>(values.size())}, path));
            return put(kind, path, file_type(DType::f16), "float16", values.shape,
                       std::as_bytes(std::span(halves)), &axes, hook);
        }
        return put(kind, path, file_type(values.dtype), std::string(dtype_name(values.dtype)), values.shape,
                   {values.data, values.bytes()}, &axes, hook);
    }
};

ActivationWriter::ActivationWriter(std::unique_ptr<File> file) : file_(std::move(file)) {}
ActivationWriter::ActivationWriter(ActivationWriter&&) noexcept = default;
ActivationWriter& ActivationWriter::operator=(ActivationWriter&&) noexcept = default;
ActivationWriter::~ActivationWriter() = default;

Result<ActivationWriter> ActivationWriter::create(const fs::path& file, const FileHeader& header,
                                                  DType stored) {
    std::error_code ignored;
    if (stored != DType::f32 && stored != DType::f16)
        return fail(Code::unsupported, fmt::format("Activations are stored as float32 or float16, not as {}.",
                                                   dtype_name(stored)));
    if (fs::is_directory(file, ignored))
        return fail(Code::io, fmt::format("Cannot write {}: it is a folder.", file.string()));
    if (!fs::is_directory(folder_of(file), ignored))
        return fail(Code::io, fmt::format("Cannot write {}: its folder does not exist.", file.string()));

    auto opened = std::make_unique<File>();
    opened->final_name = file;
    opened->stored = stored;
    const fs::path temporary = temporary_name(file);
    VITRINE_ASSIGN(OutputFile output, OutputFile::create(temporary, file));
    opened->temporary = temporary;
    opened->output.emplace(std::move(output));
    VITRINE_TRY(guarded(Code::io, opened->action(), [&]() -> Status {
        opened->hdf5.emplace(temporary.string(), H5F_ACC_TRUNC, H5::FileCreatPropList::DEFAULT,
                             opened->output->access());
        const H5::Group root = opened->hdf5->openGroup("/");
        write_attribute(root, "model", header.model);
        write_attribute(root, "weights_hash", header.weights_hash);
        write_attribute(root, "spec", header.spec);
        write_attribute(root, "spec_hash", header.spec_hash);
        write_attribute(root, "device", header.device);
        write_attribute(root, "precision", header.precision);
        write_attribute(root, "version", header.version);
        write_attribute(root, "coordinates", header.coordinates);
        return opened->output->status();
    }));
    return ActivationWriter(std::move(opened));
}

Status ActivationWriter::add(int row, std::string_view hook, const std::vector<std::string>& axes,
                             const TensorView& values) {
    return file_->put_values("activation", fmt::format("/row{}/{}", row, hook), values, axes, hook);
}

Status ActivationWriter::add_step(int row, int step, std::string_view hook,
                                  const std::vector<std::string>& axes, const TensorView& values) {
    return file_->put_values("activation", fmt::format("/row{}/step{}/{}", row, step, hook), values, axes,
                             hook);
}

Status ActivationWriter::add_tokens(int row, std::span<const std::int32_t> ids) {
    const auto bytes = std::as_bytes(ids);
    return file_->put_values("tokens", fmt::format("/row{}/tokens", row),
                             {bytes.data(), DType::i32, {static_cast<std::int64_t>(ids.size())}}, {"pos"},
                             "");
}

Status ActivationWriter::add_array(std::string_view path, const std::vector<std::string>& axes,
                                   const TensorView& values) {
    return file_->put_values("array", path, values, axes, "");
}

Status ActivationWriter::add_text(std::string_view path, std::string_view text) {
    VITRINE_TRY(file_->check_name(path));
    H5::StrType type(H5::PredType::C_S1, text.empty() ? 1 : text.size());
    type.setCset(H5T_CSET_UTF8);
    type.setStrpad(H5T_STR_NULLPAD);
    // An empty text is one zero byte, because HDF5 has no strings of length 0; it hashes as stored.
    const std::string_view stored = text.empty() ? std::string_view("\0", 1) : text;
    return file_->put("text", path, type, "utf8", {}, std::as_bytes(std::span(stored)), nullptr, "");
}

Result<std::vector<Artifact>> ActivationWriter::finish() {
    if (file_->temporary.empty()) return fail(Code::internal, "The activation file is no longer open.");
    auto complete = file_->close();
    if (complete) complete = publish(file_->temporary, file_->final_name);
    if (!complete) {
        file_->discard();
        return tl::unexpected(complete.error());
    }
    file_->temporary.clear();
    return std::move(file_->artifacts);
}

void ActivationWriter::abandon() { file_->discard(); }

} // namespace vitrine::store
