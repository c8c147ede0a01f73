// The GGUF reader: dequantisation bit by bit against the gguf package, metadata of all types, and one clear
// sentence for each lie a file can tell.
#include <bit>
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>

#include "core/base/quantized.h"
#include "core/formats/gguf.h"
#include "core/formats/weights_hash.h"
#include "tests/formats/gguf_bytes.h"

using namespace vitrine;
using namespace vitrine::formats;
using namespace vitrine::test;
namespace fs = std::filesystem;

namespace {

const fs::path fixture = fs::path(VITRINE_FIXTURES) / "formats" / "quantised.gguf";

void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

constexpr std::uint32_t f32 = 0, q4_k = 12;
constexpr std::uint32_t type_u32 = 4, type_text = 8, type_array = 9;

GgufBytes one_tensor(const std::vector<std::uint64_t>& axes, std::uint32_t type, std::uint64_t offset,
                     std::size_t bytes) {
    GgufBytes file;
    file.tensors = 1;
    file.infos = gguf_tensor("w", axes, type, offset);
    file.data = std::string(bytes, 'x');
    return file;
}

GgufBytes with_value(const std::string& value) {
    GgufBytes file;
    file.values = 1;
    file.metadata = value;
    return file;
}

std::string part(std::uint32_t number, std::uint32_t count, const std::string& tensor) {
    GgufBytes file;
    file.values = 3;
    file.metadata = gguf_value("general.architecture", type_text, gguf_text("llama")) +
                    gguf_value("split.no", type_u32, little_endian(number)) +
                    gguf_value("split.count", type_u32, little_endian(count));
    file.tensors = 1;
    file.infos = gguf_tensor(tensor, {2}, f32, 0);
    file.data = little_endian(1.0F) + little_endian(2.0F);
    return file.bytes();
}

} // namespace

class TestGguf : public QObject {
    Q_OBJECT

    QTemporaryDir temporary_;
    fs::path folder_ = temporary_.path().toStdString();

private slots:
    void blocks_are_widened_bit_by_bit_data() {
        QTest::addColumn<QString>("type");
        for (const char* type :
             {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "F16", "BF16"})
            QTest::newRow(type) << type;
    }
    void blocks_are_widened_bit_by_bit() {
        QFETCH(QString, type);
        const auto model = open_gguf(fixture);
        QVERIFY2(model, model ? "" : model.error().message.c_str());
        const auto* tensor = model->files.find(type.toStdString());
        const auto* expected = model->files.find(type.toStdString() + ".float32");
        QVERIFY(tensor != nullptr && expected != nullptr);
        QCOMPARE(tensor->view.shape, expected->view.shape);
        if (type.startsWith('Q')) QCOMPARE(std::string(dtype_name(tensor->view.dtype)), type.toStdString());
        std::vector<float> ours(static_cast<std::size_t>(tensor->view.size()));
        std::vector<float> theirs(ours.size());
        widen(tensor->view.dtype, tensor->view.data, ours);
        widen(DType::f32, expected->view.data, theirs);
        for (std::size_t i = 0; i < ours.size(); ++i)
            QVERIFY2(std::bit_cast<std::uint32_t>(ours[i]) == std::bit_cast<std::uint32_t>(theirs[i]),
                     qPrintable(QString("element %1: %2, not %3").arg(i).arg(ours[i]).arg(theirs[i])));
        // The first elements alone, ending within a block.
        std::vector<float> few(33);
        widen(tensor->view.dtype, tensor->view.data, few);
        QVERIFY(std::equal(few.begin(), few.end(), ours.begin()));
    }

    void scales_that_are_no_numbers_are_found() {
        const auto model = open_gguf(fixture);
        for (const char* name :
             {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"}) {
            const auto& view = model->files.find(name)->view;
            QVERIFY(finite_blocks(view.dtype, view.data, view.size()));
            // Wherever a byte of 0x7C … makes an element infinite, the check must say so, and nowhere else.
            const std::size_t size = block_bytes(view.dtype);
            const auto elements = static_cast<std::size_t>(block_elements(view.dtype));
            for (std::size_t at = 0; at + 1 < size; ++at) {
                std::vector<std::byte> block(view.data, view.data + size);
                block[at] = std::byte{0};
                block[at + 1] = std::byte{0xFC};
                std::vector<float> wide(elements);
                widen(view.dtype, block.data(), wide);
                const bool good =
                    std::all_of(wide.begin(), wide.end(), [](float x) { return std::isfinite(x); });
                if (!good) QVERIFY(!finite_blocks(view.dtype, block.data(), block_elements(view.dtype)));
            }
        }
    }

    void metadata_has_all_types() {
        const auto model = open_gguf(fixture);
        const GgufMetadata& data = model->metadata;
        QCOMPARE(data.text("general.architecture").value(), std::string_view("test"));
        QCOMPARE(data.integer("n.u8").value(), 200);
        QCOMPARE(data.integer("n.i8").value(), -100);
        QCOMPARE(data.integer("n.u16").value(), 60000);
        QCOMPARE(data.integer("n.i16").value(), -30000);
        QCOMPARE(data.integer("n.u32").value(), 4000000000);
        QCOMPARE(data.integer("n.i32").value(), -2000000000);
        QCOMPARE(data.integer("n.u64").value(), std::int64_t{1} << 53);
        QCOMPARE(data.integer("n.i64").value(), -(std::int64_t{1} << 53));
        QCOMPARE(data.number("n.f32").value(), static_cast<double>(0.1F));
        QCOMPARE(data.number("n.f64").value(), 0.1);
        QVERIFY(!data.integer("n.f64"));
        QCOMPARE(data.flag("n.true").value(), true);
        QVERIFY(!data.number("n.true") && !data.flag("n.u8") && !data.text("n.u8") && !data.number("none"));
        QCOMPARE(data.text("text").value(), std::string_view("na\xC3\xAFve"));
        QCOMPARE(data.texts("texts").value(), (std::vector<std::string_view>{"a", "", "\xF0\x9F\x91\xA8"}));
        QCOMPARE(data.numbers("whole").value(), (std::vector<double>{1, -2, 3}));
        QCOMPARE(data.numbers("flags").value(), (std::vector<double>{1, 0}));
        QCOMPARE(data.numbers("reals").value(), (std::vector<double>{0.5, -1.5}));
        QVERIFY(!data.texts("whole") && !data.numbers("texts") && !data.numbers("n.u8"));
    }

    void a_file_is_opened_like_any_other() {
        const auto files = TensorFiles::open(fixture);
        QVERIFY2(files, files ? "" : files.error().message.c_str());
        QCOMPARE(files->format(), std::string("gguf"));
        QCOMPARE(files->find("Q4_K")->view.shape, (Shape{2, 512}));
        QCOMPARE(files->find("Q4_K")->view.bytes(), std::size_t{2 * 2 * 144});
        QCOMPARE(weights_hash(*files)->size(), std::size_t{64});
    }

    void versions_and_alignment() {
        GgufBytes file = one_tensor({2}, f32, 64, 72);
        file.version = 2;
        file.values = 1;
        file.metadata = gguf_value("general.alignment", type_u32, little_endian(std::uint32_t{64}));
        const std::string bytes = file.bytes(64);
        const auto header = parse_gguf_header(std::as_bytes(std::span(bytes)), "f");
        QVERIFY2(header, header ? "" : header.error().message.c_str());
        QCOMPARE(header->version, 2U);
        QCOMPARE(header->tensors[0].begin % 64, std::size_t{0});
        QCOMPARE(header->tensors[0].end, bytes.size());
    }

    void bad_files_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("says");
        const auto row = [](const char* name, const std::string& bytes, const char* says) {
            QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()))
                                << QString::fromLatin1(says);
        };
        const std::string good = one_tensor({4}, f32, 0, 16).bytes();
        row("empty", "", "is not a GGUF file");
        row("another file", "PK\x03\x04 and so on", "is not a GGUF file");
        row("truncated header", good.substr(0, 20), "truncated within its header");
        row("truncated list", good.substr(0, 60), "tensor");
        GgufBytes other;
        other.version = 1;
        row("version 1", other.bytes(), "has GGUF version 1");
        other.version = 0x03000000;
        row("big endian", other.bytes(), "big-endian");
        other = {};
        other.tensors = std::uint64_t{1} << 60;
        row("2^60 tensors", other.bytes(), "claims 1152921504606846976 tensors");
        other = {};
        other.values = std::uint64_t{1} << 60;
        row("2^60 values", other.bytes(), "claims 1152921504606846976 metadata values");
        row("key of 2^60 bytes",
            with_value(little_endian(std::uint64_t{1} << 60) + std::string(32, 'k')).bytes(),
            "truncated within its metadata");
        row("text of 2^60 bytes",
            with_value(gguf_value("k", type_text, little_endian(std::uint64_t{1} << 60))).bytes(),
            "truncated within its metadata");
        const auto array = [](std::uint32_t type, std::uint64_t count, const std::string& rest) {
            return with_value(gguf_value("k", type_array, little_endian(type) + little_endian(count) + rest))
                .bytes();
        };
        row("array of 2^62 numbers", array(type_u32, std::uint64_t{1} << 62, ""), "truncated");
        row("array of 2^60 texts", array(type_text, std::uint64_t{1} << 60, gguf_text("a")), "truncated");
        row("array of an unknown type", array(77, 1, "abcdefgh"), "unknown type 77");
        std::string nested = "abcd";
        for (int i = 0; i < 6; ++i)
            nested = little_endian(type_array) + little_endian(std::uint64_t{1}) + nested;
        row("arrays in arrays in arrays", with_value(gguf_value("k", type_array, nested)).bytes(),
            "nested deeper");
        row("value of an unknown type", with_value(gguf_value("k", 13, "abcdefgh")).bytes(),
            "unknown type 13");
        other = with_value(gguf_value("k", 0, "a") + gguf_value("k", 0, "b"));
        other.values = 2;
        row("key twice", other.bytes(), "the metadata key \"k\" twice");
        row("alignment 0",
            with_value(gguf_value("general.alignment", type_u32, little_endian(std::uint32_t{0}))).bytes(),
            "power of two");
        row("alignment 24",
            with_value(gguf_value("general.alignment", type_u32, little_endian(std::uint32_t{24}))).bytes(),
            "power of two");
        row("alignment is a text",
            with_value(gguf_value("general.alignment", type_text, gguf_text("x"))).bytes(), "power of two");
        row("type that Vitrine does not read", one_tensor({256}, 16, 0, 66).bytes(), "stored as IQ2_XXS");
        row("type that does not exist", one_tensor({256}, 99, 0, 66).bytes(), "unknown type 99");
        row("five axes", one_tensor({1, 1, 1, 1, 1}, f32, 0, 4).bytes(), "has 5 axes");
        row("2^60 elements", one_tensor({std::uint64_t{1} << 60}, f32, 0, 16).bytes(), "more elements");
        row("2^120 elements",
            one_tensor({std::uint64_t{1} << 60, std::uint64_t{1} << 60}, f32, 0, 16).bytes(),
            "more elements");
        row("axis of 2^64 - 1", one_tensor({0, ~std::uint64_t{0}}, f32, 0, 16).bytes(), "more elements");
        row("rows that are no blocks", one_tensor({128, 2}, q4_k, 0, 144).bytes(),
            "do not divide into the blocks");
        row("data beyond the end", one_tensor({5}, f32, 0, 16).bytes(), "lies beyond the end");
        row("offset beyond the end", one_tensor({4}, f32, 1U << 20, 16).bytes(), "lies beyond the end");
        row("offset of 2^63", one_tensor({4}, f32, std::uint64_t{1} << 63, 16).bytes(),
            "lies beyond the end");
        row("offset between", one_tensor({4}, f32, 4, 32).bytes(), "multiple of 32");
        other = one_tensor({16}, f32, 0, 128);
        other.tensors = 2;
        other.infos += gguf_tensor("v", {8}, f32, 32);
        row("overlap", other.bytes(), "overlap");
        other.infos = gguf_tensor("w", {8}, f32, 0) + gguf_tensor("w", {8}, f32, 32);
        row("name twice", other.bytes(), "the tensor \"w\" twice");
    }
    void bad_files() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, says);
        const fs::path path = folder_ / "bad.gguf";
        write_file(path, bytes.toStdString());
        const auto opened = open_gguf(path);
        QVERIFY(!opened);
        const auto message = QString::fromStdString(opened.error().message);
        QVERIFY2(message.contains(says), qPrintable(message));
        QVERIFY2(message.contains("bad.gguf"), qPrintable(message));
        QVERIFY(opened.error().code == Code::malformed || opened.error().code == Code::unsupported);
    }

    void every_truncation_of_the_fixture_is_refused() {
        const std::string whole = read_text(fixture).value();
        for (std::size_t size = 0; size < whole.size(); size += size < 6000 ? 1 : 997)
            QVERIFY(!parse_gguf_header(std::as_bytes(std::span(whole.data(), size)), "f"));
    }

    void a_split_model_is_one() {
        const fs::path folder = folder_ / "split";
        fs::create_directories(folder);
        write_file(folder / "m-00001-of-00002.gguf", part(0, 2, "b"));
        write_file(folder / "m-00002-of-00002.gguf", part(1, 2, "a"));
        write_file(folder / "mmproj-m.gguf", "an image encoder");
        for (const fs::path& path :
             {folder, folder / "m-00001-of-00002.gguf", folder / "m-00002-of-00002.gguf"}) {
            const auto files = TensorFiles::open(path);
            QVERIFY2(files, files ? "" : files.error().message.c_str());
            QCOMPARE(files->tensors().size(), std::size_t{2});
            QCOMPARE(files->files().size(), std::size_t{2});
        }
        fs::remove(folder / "m-00002-of-00002.gguf");
        auto missing = open_gguf(folder / "m-00001-of-00002.gguf");
        QVERIFY(!missing && missing.error().code == Code::not_found);
        QVERIFY(missing.error().message.find("m-00002-of-00002.gguf is missing") != std::string::npos);
        write_file(folder / "m-00002-of-00002.gguf", part(1, 2, "b"));
        missing = open_gguf(folder / "m-00001-of-00002.gguf");
        QVERIFY(!missing && missing.error().message.find("\"b\"") != std::string::npos);
        fs::rename(folder / "m-00001-of-00002.gguf", folder / "other.gguf");
        missing = open_gguf(folder / "other.gguf");
        QVERIFY(!missing && missing.error().message.find("NAME-00001-of-00002.gguf") != std::string::npos);
    }

    void a_folder_of_several_models_asks_which() {
        const fs::path folder = folder_ / "several";
        fs::create_directories(folder);
        const auto none = TensorFiles::open(folder);
        QVERIFY(!none && none.error().code == Code::not_found);
        const std::string bytes = one_tensor({4}, f32, 0, 16).bytes();
        write_file(folder / "a.gguf", bytes);
        QVERIFY(TensorFiles::open(folder));
        write_file(folder / "b.gguf", bytes);
        const auto two = TensorFiles::open(folder);
        QVERIFY(!two && two.error().code == Code::usage);
        QVERIFY(two.error().message.find("a.gguf, b.gguf") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestGguf)
#include "test_gguf.moc"
