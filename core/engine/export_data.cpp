#include "core/engine/export_data.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include <fmt/format.h>

#include "core/formats/npy.h"
#include "core/formats/npz.h"
#include "core/store/activation_writer.h"
#include "core/store/durable.h"

namespace vitrine::engine {

namespace {

/// An array with the name it has in a file.
struct NamedArray {
    std::string name;
    std::vector<std::string> axes;
    Shape shape;
    std::vector<double> data;

    TensorView view() const { return {reinterpret_cast<const std::byte*>(data.data()), DType::f64, shape}; }
};

bool is_table(const ResultValue& result) {
    return result.json.is_array() && !result.json.empty() && result.json[0].is_object();
}

/// Columns of a table that hold numbers (or null, which becomes NaN).
void add_columns(const ResultValue& table, std::vector<NamedArray>& arrays) {
    for (const auto& [name, first] : table.json[0].items()) {
        NamedArray array{
            table.name + "." + name, {"row"}, {static_cast<std::int64_t>(table.json.size())}, {}};
        bool numbers = true;
        for (const Json& row : table.json) {
            const Json value = row.value(name, Json(nullptr));
            numbers = numbers && (value.is_number() || value.is_null());
            array.data.push_back(value.is_number() ? value.get<double>()
                                                   : std::numeric_limits<double>::quiet_NaN());
        }
        if (numbers) arrays.push_back(std::move(array));
    }
}

std::vector<NamedArray> arrays_of(const std::vector<ResultValue>& results) {
    std::vector<NamedArray> arrays;
    for (const ResultValue& result : results) {
        if (is_table(result)) {
            add_columns(result, arrays);
        } else if (!result.data.empty()) {
            NamedArray array{result.name, {}, {}, result.data};
            for (const ResultAxis& axis : result.axes) {
                array.axes.push_back(axis.name);
                array.shape.push_back(axis.size);
            }
            arrays.push_back(std::move(array));
        }
    }
    return arrays;
}

std::string document_of(const DataSource& source, const std::vector<ResultValue>& results) {
    Json document = {{"analysis", source.analysis},
                     {"parameters", source.parameters},
                     {"provenance", source.provenance},
                     {"results", Json::array()}};
    for (const ResultValue& result : results) {
        Json axes = Json::array();
        for (const ResultAxis& axis : result.axes)
            axes.push_back({{"name", axis.name}, {"size", axis.size}, {"labels", axis.labels}});
        Json entry = {{"name", result.name}, {"kind", result.kind}, {"axes", std::move(axes)}};
        if (!result.lengths.empty()) entry["lengths"] = result.lengths;
        if (result.data.empty()) entry["data"] = result.json;
        document["results"].push_back(std::move(entry));
    }
    return dump_json(document);
}

Status write_npz_file(const std::filesystem::path& file, const std::vector<NamedArray>& arrays,
                      const std::string& document) {
    std::vector<formats::NamedView> views;
    for (const NamedArray& array : arrays)
        views.push_back({array.name, array.view()});
    views.push_back({"document",
                     {reinterpret_cast<const std::byte*>(document.data()),
                      DType::u8,
                      {static_cast<std::int64_t>(document.size())}}});
    return formats::write_npz(file, views);
}

Status write_h5_file(const std::filesystem::path& file, const DataSource& source,
                     const std::vector<NamedArray>& arrays, const std::string& document) {
    const auto text = [&](const char* key) { return source.provenance.value(key, std::string()); };
    store::FileHeader header;
    header.model = text("model");
    header.weights_hash = text("weights_hash");
    header.spec = dump_json({{"analysis", source.analysis}, {"parameters", source.parameters}});
    header.device = text("device");
    header.precision = text("precision");
    header.version = text("version");
    VITRINE_ASSIGN(auto writer, store::ActivationWriter::create(file, header));
    for (const NamedArray& array : arrays)
        VITRINE_TRY(writer.add_array("/results/" + array.name, array.axes, array.view()));
    VITRINE_TRY(writer.add_text("/document", document));
    VITRINE_TRY(writer.finish());
    return {};
}

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + "\"";
}

std::string csv_value(const Json& value) {
    if (value.is_null()) return "";
    return csv_field(value.is_string() ? value.get<std::string>() : dump_json(value));
}

/// Lines with the same columns throughout; a line leaves empty what it has not.
class Csv {
public:
    std::size_t column(const std::string& name) {
        const auto found = std::find(columns_.begin(), columns_.end(), name);
        if (found != columns_.end()) return static_cast<std::size_t>(found - columns_.begin());
        columns_.push_back(name);
        return columns_.size() - 1;
    }
    void line() { lines_.emplace_back(); }
    void put(const std::string& column_name, std::string text) {
        const std::size_t at = column(column_name);
        auto& line = lines_.back();
        if (line.size() <= at) line.resize(at + 1);
        line[at] = std::move(text);
    }
    std::string text() const {
        std::string out;
        const auto add = [&](const std::vector<std::string>& fields) {
            for (std::size_t i = 0; i < columns_.size(); ++i)
                out += (i == 0 ? "" : ",") + (i < fields.size() ? fields[i] : std::string());
            out += "\r\n";
        };
        std::vector<std::string> header;
        for (const std::string& name : columns_)
            header.push_back(csv_field(name));
        add(header);
        for (const auto& line : lines_)
            add(line);
        return out;
    }

private:
    std::vector<std::string> columns_;
    std::vector<std::vector<std::string>> lines_;
};

void add_numbers(Csv& csv, const ResultValue& result) {
    std::vector<std::int64_t> index(result.axes.size(), 0);
    for (const double value : result.data) {
        if (!is_beyond_row(result, index)) {
            csv.line();
            csv.put("result", csv_field(result.name));
            for (std::size_t a = 0; a < index.size(); ++a) {
                const ResultAxis& axis = result.axes[a];
                const auto i = static_cast<std::size_t>(index[a]);
                csv.put(axis.name, axis.labels.empty() ? std::to_string(i) : csv_field(axis.labels[i]));
            }
            csv.put("value", std::isfinite(value) ? fmt::format("{}", value) : "");
        }
        for (std::size_t a = index.size(); a-- > 0 && ++index[a] == result.axes[a].size;)
            index[a] = 0;
    }
}

std::string csv_text(const std::vector<ResultValue>& results) {
    Csv csv;
    csv.column("result");
    for (const ResultValue& result : results) {
        add_numbers(csv, result);
        if (result.data.empty() && is_table(result)) {
            for (const Json& row : result.json) {
                csv.line();
                csv.put("result", csv_field(result.name));
                for (const auto& [name, value] : row.items())
                    csv.put(name, csv_value(value));
            }
        } else if (result.data.empty() && !result.json.is_null()) {
            csv.line();
            csv.put("result", csv_field(result.name));
            csv.put("value", csv_value(result.json));
        }
    }
    return csv.text();
}

Status write_text_file(const std::filesystem::path& file, const std::string& text) {
    const auto temporary = store::temporary_name(file);
    std::ofstream stream(temporary, std::ios::binary);
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    stream.close();
    if (!stream) {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        return fail(Code::io, fmt::format("{} cannot be written.", file.string()));
    }
    return store::publish(temporary, file);
}

/// The first array alone, as an edit reads it.
Status write_npy_file(const std::filesystem::path& file, const std::vector<ResultValue>& results) {
    const auto first = std::find_if(results.begin(), results.end(), [](const ResultValue& result) {
        return !result.axes.empty() && !result.data.empty();
    });
    if (first == results.end())
        return fail(
            Code::unsupported,
            fmt::format("{}: these results hold no array: write them as .npz or .csv.", file.string()));
    Shape shape;
    for (const ResultAxis& axis : first->axes)
        shape.push_back(axis.size);
    const Tensor tensor(shape, {first->data.begin(), first->data.end()});
    VITRINE_ASSIGN(const std::string bytes, formats::npy_bytes(tensor.view()));
    return write_text_file(file, bytes);
}

} // namespace

Status check_data_suffix(const std::filesystem::path& file) {
    const std::string suffix = file.extension().string();
    if (suffix == ".npz" || suffix == ".npy" || suffix == ".csv" || suffix == ".h5") return {};
    return fail(Code::usage, fmt::format("{}: data are written as .npz, .npy, .csv or .h5.", file.string()));
}

Status export_data(const std::filesystem::path& file, const DataSource& source,
                   const std::vector<ResultValue>& results) {
    VITRINE_TRY(check_data_suffix(file));
    std::size_t numbers = 0;
    for (const ResultValue& result : results)
        numbers += result.data.size();
    if (file.extension() == ".csv" && numbers > most_in_text)
        return fail(
            Code::too_large,
            fmt::format("{}: {} numbers are too many for a text file (at most {}): write them as .npz or "
                        ".h5.",
                        file.string(), numbers, most_in_text));
    if (file.extension() == ".csv") return write_text_file(file, csv_text(results));
    const std::vector<NamedArray> arrays = arrays_of(results);
    const std::string document = document_of(source, results);
    if (file.extension() == ".npz") return write_npz_file(file, arrays, document);
    if (file.extension() == ".npy") return write_npy_file(file, results);
    return write_h5_file(file, source, arrays, document);
}

} // namespace vitrine::engine
