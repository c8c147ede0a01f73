// What is written comes back, under the names and attributes that other programs look for.
#include <cstring>
#include <fstream>

#include <QtTest>

#include "core/base/hash.h"
#include "core/store/activation_reader.h"
#include "core/store/activation_writer.h"
#include "core/store/compare.h"

using namespace vitrine;
using namespace vitrine::store;
namespace fs = std::filesystem;

namespace {

Tensor ramp(Shape shape) {
    Tensor tensor(std::move(shape));
    for (std::size_t i = 0; i < tensor.data.size(); ++i)
        tensor.data[i] = 0.1F * static_cast<float>(i) - 1.0F;
    return tensor;
}

FileHeader header() {
    return {"vitrine-tiny", "abc", R"({"prompt":"Grüße"})", "def", "cpu", "exact", "0.1.0"};
}

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder))
        files.push_back(entry.path().filename());
    return files;
}

} // namespace

class TestStore : public QObject {
    Q_OBJECT
    QTemporaryDir dir_;
    fs::path folder() const { return dir_.path().toStdString(); }
    fs::path fresh(const char* name) const {
        fs::create_directory(folder() / name);
        return folder() / name;
    }

private slots:
    void a_run_comes_back() {
        const fs::path file = folder() / "run.h5";
        const Tensor pattern = ramp({2, 3, 3});
        const std::vector<std::int32_t> ids = {0, 5, 4095};
        auto writer = ActivationWriter::create(file, header());
        QVERIFY(writer);
        QVERIFY(writer->add_tokens(0, ids));
        QVERIFY(writer->add(0, "blocks.3.attn.hook_pattern", {"head", "query", "key"}, pattern.view()));
        QVERIFY(writer->add_text("/results/summary", R"({"loss":1.5})"));
        QVERIFY(!fs::exists(file)); // until it is complete
        const auto artifacts = writer->finish();
        QVERIFY(artifacts);
        QCOMPARE(artifacts->size(), std::size_t{3});
        QCOMPARE((*artifacts)[0].kind, std::string("tokens"));
        QCOMPARE((*artifacts)[1].dataset, std::string("/row0/blocks.3.attn.hook_pattern"));
        QCOMPARE((*artifacts)[1].dtype, std::string("float32"));
        QCOMPARE((*artifacts)[1].bytes, std::int64_t{72});
        Sha256 hash;
        hash.add(std::as_bytes(std::span(pattern.data)));
        QCOMPARE((*artifacts)[1].hash, hash.finish());
        QCOMPARE((*artifacts)[2].hash, sha256(R"({"loss":1.5})"));

        const auto reader = ActivationReader::open(file);
        QVERIFY(reader);
        QCOMPARE(reader->header()->spec, header().spec);
        QCOMPARE(reader->header()->version, std::string("0.1.0"));
        QCOMPARE(reader->datasets().size(), std::size_t{3});
        const auto info = reader->dataset("/row0/blocks.3.attn.hook_pattern");
        const auto labels = reader->labels(info->name);
        QCOMPARE(labels->axes, (std::vector<std::string>{"head", "query", "key"}));
        QCOMPARE(labels->hook, std::string("blocks.3.attn.hook_pattern"));
        QCOMPARE(reader->read(info->name)->data, pattern.data);
        QCOMPARE(reader->read("/row0/tokens")->data, (std::vector<float>{0, 5, 4095}));
        QCOMPARE(*reader->read_text("/results/summary"), std::string(R"({"loss":1.5})"));
        QVERIFY(damaged("", *artifacts).empty());
    }

    void halves_round_to_nearest_and_refuse_what_is_too_large() {
        const fs::path file = folder() / "half.h5";
        auto writer = ActivationWriter::create(file, header(), DType::f16);
        const Tensor values({4},
                            {0.1F, -65504.0F, -std::numeric_limits<float>::infinity(), 1.0F + 1.0F / 2048});
        QVERIFY(writer->add(0, "hook_embed", {"d"}, values.view()));
        const auto status = writer->add(0, "hook_pos_embed", {"d"}, Tensor({1}, {70000.0F}).view());
        QCOMPARE(status.error().code, Code::out_of_range);
        QVERIFY(writer->add_step(0, 3, "hook_embed", {"d"}, values.view()));
        QVERIFY(writer->add_array("/row0/loss", {"pos"}, Tensor({1}, {70000.0F}).view())); // no activation
        const auto artifacts = writer->finish();
        QCOMPARE((*artifacts)[1].dataset, std::string("/row0/step3/hook_embed"));
        QCOMPARE((*artifacts)[1].dtype, std::string("float16"));
        QCOMPARE((*artifacts)[2].dtype, std::string("float32"));
        QCOMPARE((*artifacts)[0].dtype, std::string("float16"));
        QCOMPARE((*artifacts)[0].bytes, std::int64_t{8});
        const auto back = ActivationReader::open(file)->read("/row0/hook_embed");
        QCOMPARE(back->data[0], 0.0999755859375F); // the half nearest to 0.1
        QCOMPARE(back->data[1], -65504.0F);
        QCOMPARE(back->data[2], values.data[2]);
        QCOMPARE(back->data[3], 1.0F); // tie to even
        QVERIFY(damaged("", *artifacts).empty());
    }

    void blocks_are_cut_out() {
        const fs::path file = folder() / "part.h5";
        auto writer = ActivationWriter::create(file, header());
        QVERIFY(writer->add(0, "hook_embed", {"pos", "d"}, ramp({5, 4}).view()));
        QVERIFY(writer->finish());
        const auto reader = ActivationReader::open(file);
        const Tensor whole = ramp({5, 4});
        const auto part = reader->read_part("/row0/hook_embed", {1, 2}, {3, 2});
        QCOMPARE(part->shape, (Shape{3, 2}));
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 2; ++j)
                QCOMPARE(part->data[i * 2 + j], whole.data[(i + 1) * 4 + j + 2]);
        QCOMPARE(reader->read_part("/row0/hook_embed", {3, 0}, {3, 4}).error().code, Code::out_of_range);
        QCOMPARE(reader->read_part("/row0/hook_embed", {-1, 0}, {1, 4}).error().code, Code::out_of_range);
        QCOMPARE(reader->read_part("/row0/hook_embed", {0}, {5}).error().code, Code::out_of_range);
    }

    void scalars_empty_arrays_and_empty_texts_exist() {
        const fs::path file = folder() / "odd.h5";
        auto writer = ActivationWriter::create(file, FileHeader{});
        QVERIFY(writer->add_array("/results/number", {}, Tensor(Shape{}, {2.5F}).view()));
        QVERIFY(writer->add_array("/results/none", {"pos"}, Tensor(Shape{0}).view()));
        QVERIFY(writer->add_text("/results/text", ""));
        QVERIFY(!writer->add_text("/results/text", "again"));
        const auto artifacts = writer->finish();
        QVERIFY(artifacts);
        const auto reader = ActivationReader::open(file);
        QCOMPARE(reader->read("/results/number")->data, std::vector<float>{2.5F});
        QCOMPARE(reader->read("/results/none")->shape, Shape{0});
        QCOMPARE(*reader->read_text("/results/text"), std::string());
        QCOMPARE(reader->header()->model, std::string());
        QVERIFY(damaged("", *artifacts).empty());
    }

    void a_long_spec_fits() {
        FileHeader long_header = header();
        long_header.spec = "\"" + std::string(200000, 'x') + "\""; // beyond the 64 KiB of a compact attribute
        auto writer = ActivationWriter::create(folder() / "long.h5", long_header);
        QVERIFY(writer);
        QVERIFY(writer->finish());
        QCOMPARE(ActivationReader::open(folder() / "long.h5")->header()->spec, long_header.spec);
    }

    void equal_content_is_equal_bytes() {
        std::string bytes[2];
        for (int i = 0; i < 2; ++i) {
            const fs::path file = folder() / ("same" + std::to_string(i) + ".h5");
            auto writer = ActivationWriter::create(file, header());
            QVERIFY(writer->add(0, "hook_embed", {"pos", "d"}, ramp({5, 4}).view()));
            QVERIFY(writer->finish());
            std::ifstream stream(file, std::ios::binary);
            bytes[i].assign(std::istreambuf_iterator<char>(stream), {});
        }
        QVERIFY(!bytes[0].empty());
        QCOMPARE(bytes[0], bytes[1]);
    }

    void an_older_file_stays_until_the_new_one_is_complete() {
        const fs::path place = fresh("replace");
        for (const float value : {1.0F, 2.0F}) {
            auto writer = ActivationWriter::create(place / "run.h5", header());
            QVERIFY(writer->add(0, "hook_embed", {"d"}, Tensor({1}, {value}).view()));
            QVERIFY(writer->finish());
        }
        {
            auto dropped = ActivationWriter::create(place / "run.h5", header());
            QVERIFY(dropped->add(0, "hook_embed", {"d"}, Tensor({1}, {3.0F}).view()));
        }
        auto abandoned = ActivationWriter::create(place / "run.h5", header());
        abandoned->abandon();
        QVERIFY(!abandoned->add_tokens(0, {}));
        QVERIFY(!abandoned->finish());
        QCOMPARE(files_in(place), std::vector<fs::path>{"run.h5"});
        QCOMPARE(ActivationReader::open(place / "run.h5")->read("/row0/hook_embed")->data[0], 2.0F);
    }

    void what_cannot_be_written_is_refused() {
        const auto message = [](const fs::path& file) {
            return ActivationWriter::create(file, header()).error();
        };
        QCOMPARE(message(folder() / "missing" / "run.h5").code, Code::io);
        QVERIFY(message(folder() / "missing" / "run.h5").message.find("folder does not exist") !=
                std::string::npos);
        QCOMPARE(message(folder()).code, Code::io);
        QCOMPARE(message("/proc/run.h5").code, Code::io);
        QCOMPARE(ActivationWriter::create(folder() / "x.h5", header(), DType::i8).error().code,
                 Code::unsupported);
        auto writer = ActivationWriter::create(folder() / "names.h5", header());
        QVERIFY(!writer->add(0, "hook_embed", {"pos", "d"}, ramp({3}).view()));
        QVERIFY(!writer->add_array("no-slash", {"d"}, ramp({3}).view()));
        QVERIFY(!writer->add_array("/", {"d"}, ramp({3}).view()));
        QVERIFY(!writer->add_array("/a//b", {"d"}, ramp({3}).view()));
    }

    void what_cannot_be_read_is_refused() {
        const auto code = [](const fs::path& file) { return ActivationReader::open(file).error().code; };
        QCOMPARE(code(folder() / "none.h5"), Code::not_found);
        QCOMPARE(code(folder()), Code::io);
        std::ofstream(folder() / "text.h5") << "hello, this is no HDF5 file";
        QCOMPARE(code(folder() / "text.h5"), Code::malformed);
        std::ofstream(folder() / "empty.h5").close();
        QCOMPARE(code(folder() / "empty.h5"), Code::malformed);

        auto writer = ActivationWriter::create(folder() / "whole.h5", header());
        QVERIFY(writer->add(0, "hook_embed", {"pos", "d"}, ramp({50, 40}).view()));
        const auto artifacts = writer->finish();
        const auto size = fs::file_size(folder() / "whole.h5");
        for (const std::uintmax_t kept : {std::uintmax_t{8}, std::uintmax_t{100}, size / 2, size - 1}) {
            fs::copy_file(folder() / "whole.h5", folder() / "cut.h5", fs::copy_options::overwrite_existing);
            fs::resize_file(folder() / "cut.h5", kept);
            QCOMPARE(code(folder() / "cut.h5"), Code::malformed);
        }
        const auto reader = ActivationReader::open(folder() / "whole.h5");
        QCOMPARE(reader->read("/row0/other").error().code, Code::not_found);
        QCOMPARE(reader->read_text("/row0/hook_embed").error().code, Code::unsupported);
    }

    void a_flipped_bit_is_noticed() {
        const fs::path file = folder() / "flip.h5";
        auto writer = ActivationWriter::create(file, header());
        const Tensor values = ramp({64});
        QVERIFY(writer->add(0, "hook_embed", {"d"}, values.view()));
        const auto artifacts = writer->finish();
        QVERIFY(damaged("", *artifacts).empty());
        std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
        std::string bytes(std::istreambuf_iterator<char>(stream), {});
        const std::string stored(reinterpret_cast<const char*>(values.data.data()), 64 * sizeof(float));
        const auto at = bytes.find(stored);
        QVERIFY(at != std::string::npos);
        stream.seekp(static_cast<std::streamoff>(at + 17));
        stream.put(static_cast<char>(bytes[at + 17] ^ 1));
        stream.close();
        QCOMPARE(damaged("", *artifacts).size(), std::size_t{1});
    }

    void files_of_other_programs_are_read() { // made by tests/fixtures/store/make.py with h5py
        const auto reader = ActivationReader::open(fs::path(VITRINE_FIXTURES) / "store" / "foreign.h5");
        QVERIFY(reader);
        QCOMPARE(reader->header()->model, std::string("gpt2"));
        QCOMPARE(reader->read("/double")->data, (std::vector<float>{0.5F, -2.0F, 3.0F}));
        const auto packed = reader->read("/deep/half");
        QCOMPARE(packed->shape, (Shape{16, 16}));
        for (int i = 0; i < 256; ++i)
            QCOMPARE(packed->data[i], static_cast<float>(i) / 8);
        QCOMPARE(reader->read("/big_endian")->data, (std::vector<float>{1.0F, 2.5F}));
        QCOMPARE(reader->read("/long")->data, (std::vector<float>{-7.0F, 9.0F}));
        QCOMPARE(*reader->read_text("/text"), std::string("Grüße"));
        QCOMPARE(reader->hash("/text").error().code, Code::unsupported); // of variable length
        QCOMPARE(reader->read("/compound").error().code, Code::unsupported);
        QCOMPARE(reader->read("/claims").error().code,
                 Code::malformed); // 2^40 elements that were never written
        QCOMPARE(reader->read("/elsewhere").error().code, Code::unsupported); // elements in another file
        QVERIFY(!reader->dataset("/link")); // a link into another file is not followed
    }
};

QTEST_GUILESS_MAIN(TestStore)
#include "test_store.moc"
