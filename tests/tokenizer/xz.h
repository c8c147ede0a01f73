#pragma once
// Large fixtures are kept xz-compressed.
#include <filesystem>
#include <stdexcept>
#include <string>

#include <lzma.h>

#include <QByteArray>

#include "core/base/mapped_file.h"

/// The unpacked contents of an .xz file; throws if it is damaged or missing.
inline std::string read_xz(const std::filesystem::path& path) {
    const auto file = vitrine::MappedFile::open(path);
    if (!file) throw std::runtime_error(file.error().message);
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, UINT64_MAX, 0) != LZMA_OK) throw std::runtime_error("liblzma");
    stream.next_in = reinterpret_cast<const std::uint8_t*>(file->bytes().data());
    stream.avail_in = file->bytes().size();
    std::string text;
    lzma_ret status = LZMA_OK;
    while (status == LZMA_OK) {
        const std::size_t had = text.size();
        text.resize(had + (std::size_t{1} << 20));
        stream.next_out = reinterpret_cast<std::uint8_t*>(text.data() + had);
        stream.avail_out = text.size() - had;
        status = lzma_code(&stream, LZMA_FINISH);
        text.resize(text.size() - stream.avail_out);
    }
    lzma_end(&stream);
    if (status != LZMA_STREAM_END) throw std::runtime_error("damaged: " + path.string());
    return text;
}

/// "CHARMAP" stands for the same 300 kB wherever it is needed: the contents of charmap.xz in base64.
inline std::string with_char_map(std::string text, const std::filesystem::path& folder) {
    const std::string place = "\"CHARMAP\"";
    const auto at = text.find(place);
    if (at == std::string::npos) return text;
    const QByteArray base64 = QByteArray::fromStdString(read_xz(folder / "charmap.xz")).toBase64();
    return text.replace(at, place.size(), '"' + base64.toStdString() + '"');
}
