// pytorch_model.bin: what torch.save wrote (tests/fixtures/formats/make_torch.py), and pickles that would run
// programs, which must be refused by name.
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>

#include "core/formats/pickle.h"
#include "core/formats/torch_file.h"
#include "core/formats/weights_hash.h"

using namespace vitrine;
using namespace vitrine::formats;
namespace fs = std::filesystem;

namespace {

fs::path fixture(const char* name) { return fs::path(VITRINE_FIXTURES) / "formats" / name; }

void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// The elements in row-major order.
std::vector<float> elements(const StoredTensor& tensor) {
    std::vector<float> out;
    const auto& shape = tensor.view.shape;
    const std::size_t size = dtype_size(tensor.view.dtype);
    for (std::int64_t i = 0; i < tensor.view.size(); ++i) {
        std::int64_t rest = i;
        std::int64_t at = 0;
        for (std::size_t axis = shape.size(); axis-- > 0; rest /= shape[axis])
            at += rest % shape[axis] * tensor.stride(axis);
        float value = 0;
        widen(tensor.view.dtype, tensor.view.data + static_cast<std::size_t>(at) * size, {&value, 1});
        out.push_back(value);
    }
    return out;
}

std::string message_of(const std::string& pickle) {
    const auto result = unpickle_tensors(std::as_bytes(std::span(pickle)), "f.bin");
    return result ? "" : result.error().message;
}

} // namespace

class TestTorchFile : public QObject {
    Q_OBJECT

    QTemporaryDir temporary_;
    fs::path folder_ = temporary_.path().toStdString();

private slots:
    void tensors_of_every_kind_data() {
        QTest::addColumn<QString>("file");
        for (const char* file : {"torch_ordered.bin", "torch_dict.bin", "torch_protocol4.bin"})
            QTest::newRow(file) << file;
    }
    void tensors_of_every_kind() {
        QFETCH(QString, file);
        const auto files = TensorFiles::open(fixture(qPrintable(file)));
        QVERIFY2(files, files ? "" : files.error().message.c_str());
        QCOMPARE(files->format(), std::string("pytorch"));
        QCOMPARE(files->tensors().size(), std::size_t{12});
        std::vector<float> range(24);
        for (std::size_t i = 0; i < range.size(); ++i)
            range[i] = static_cast<float>(i);
        const auto* plain = files->find("plain");
        QCOMPARE(plain->view.shape, (Shape{4, 6}));
        QVERIFY(plain->contiguous());
        QCOMPARE(elements(*plain), range);

        const auto* transposed = files->find("transposed");
        QCOMPARE(transposed->view.shape, (Shape{6, 4}));
        QCOMPARE(transposed->strides, (Shape{1, 6}));
        for (std::size_t i = 0; i < 24; ++i)
            QCOMPARE(elements(*transposed)[i], range[i % 4 * 6 + i / 4]);
        QCOMPARE(elements(*files->find("slice")), (std::vector<float>{8, 9, 10, 14, 15, 16}));

        QCOMPARE(files->find("first")->view.data, files->find("again")->view.data);
        QCOMPARE(elements(*files->find("tail")), (std::vector<float>{7, 8, 9}));
        QCOMPARE(files->find("parameter")->view.dtype, DType::bf16);
        QCOMPARE(elements(*files->find("parameter")), (std::vector<float>{1.5F, -2.5F}));
        QCOMPARE(files->find("double")->view.dtype, DType::f64);
        QCOMPARE(files->find("double")->view.shape, Shape{});
        QCOMPARE(elements(*files->find("double")), std::vector<float>{0.1F});
        QCOMPARE(files->find("mask")->view.dtype, DType::boolean);
        QCOMPARE(files->find("ids")->view.dtype, DType::i64);
        QCOMPARE(elements(*files->find("bytes")), std::vector<float>{200});
        QCOMPARE(files->find("empty")->view.shape, (Shape{0, 5}));
    }

    void the_hash_does_not_depend_on_how_tensors_are_stored() {
        const auto first = TensorFiles::open(fixture("torch_ordered.bin"));
        const auto second = TensorFiles::open(fixture("torch_protocol4.bin"));
        QCOMPARE(*weights_hash(*first), *weights_hash(*second));
        // A transposed view hashes as the matrix that it is.
        const auto* view = first->find("transposed");
        const std::vector<float> copy = elements(*view);
        const StoredTensor plain{
            view->name,
            {reinterpret_cast<const std::byte*>(copy.data()), DType::f32, view->view.shape},
            0,
            {}};
        const auto mapped = [] {
            std::vector<MappedFile> files;
            files.push_back(MappedFile::open(fixture("torch_list.bin")).value());
            return files;
        };
        QCOMPARE(*weights_hash(TensorFiles("pytorch", mapped(), {*view})),
                 *weights_hash(TensorFiles("pytorch", mapped(), {plain})));
    }

    void harmful_pickles_are_refused_by_name_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("says");
        QTest::newRow("os.system") << "torch_system.bin"
                                   << "asks for posix.system";
        QTest::newRow("builtins.eval") << "torch_eval.bin"
                                       << "asks for __builtin__.eval";
        QTest::newRow("nested reduce") << "torch_nested.bin"
                                       << "asks for __builtin__.getattr";
        QTest::newRow("legacy") << "torch_legacy.bin"
                                << "torch.load";
        QTest::newRow("a list") << "torch_list.bin"
                                << "holds no dictionary of tensors";
        QTest::newRow("compressed") << "torch_compressed.bin"
                                    << "compressed";
        QTest::newRow("another zip") << "torch_without.bin"
                                     << "without data.pkl";
    }
    void harmful_pickles_are_refused_by_name() {
        QFETCH(QString, file);
        QFETCH(QString, says);
        const fs::path canary = "/tmp/vitrine-was-here";
        const bool before = fs::exists(canary);
        const auto opened = TensorFiles::open(fixture(qPrintable(file)));
        QVERIFY(!opened);
        const auto message = QString::fromStdString(opened.error().message);
        QVERIFY2(message.contains(says), qPrintable(message));
        QVERIFY2(message.contains(file), qPrintable(message));
        QCOMPARE(fs::exists(canary), before);
    }

    void pickles_that_ask_for_more_data() {
        QTest::addColumn<QByteArray>("pickle");
        QTest::addColumn<QString>("says");
        const auto row = [](const char* name, const std::string& bytes, const char* says) {
            QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()))
                                << QString::fromLatin1(says);
        };
        row("empty", "", "damaged");
        row("no end", "\x80\x02}", "damaged");
        row("empty stack", ".", "damaged");
        row("instance", "(iposix\nsystem\n.", "instruction 0x69");
        row("object", "(cposix\nsystem\no.", "asks for posix.system");
        row("stack global", "\x80\x04\x8c\x05posix\x8c\x06system\x93.", "asks for posix.system");
        row("extension registry", "\x82\x01.", "instruction 0x82");
        row("new object", "ccollections\nOrderedDict\n)\x81.", "instruction 0x81");
        row("persistent line", "Pstorage\n.", "instruction 0x50");
        row("global without an end", "cposix", "damaged");
        row("name of control characters", "c\x1b[2J\nx\n.", "asks for ?[2J.x");
        row("allowed module, other function", "ctorch._utils\n_rebuild_sparse_tensor\n.",
            "torch._utils._rebuild_sparse_tensor");
        row("reduce of a number", "K\x01)R.", "damaged");
        row("reduce of a tensor rebuilt from numbers", "ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x01))tR.",
            "damaged");
        row("build of a tuple", ")}b.", "damaged");
        row("storage without its parts", std::string("(X\x07\0\0\0storagetQ.", 15), "damaged");
        row("memo that is not there", "h\x05.", "damaged");
        row("mark that is not there", "t.", "damaged");
        row("text of 2^31 bytes", "X\xFF\xFF\xFF\x7Fx.", "damaged");
        // 2000 dictionaries out of one list of 2000 pairs: 18 kB that would be 8 million entries.
        std::string copies("ccollections\nOrderedDict\nq\0K\1K\1\x86q\1](", 36);
        for (int i = 0; i < 2000; ++i)
            copies += "h\1";
        copies += "eq\2";
        for (int i = 0; i < 2000; ++i)
            copies += std::string("h\0h\2\x85R", 6);
        row("one list many times", copies + ".", "damaged");
        row("list in itself", std::string("]q\0(h\0e.", 8), "no dictionary");
    }
    void pickles_that_ask_for_more() {
        QFETCH(QByteArray, pickle);
        QFETCH(QString, says);
        const auto message = QString::fromStdString(message_of(pickle.toStdString()));
        QVERIFY2(message.contains(says) && message.contains("f.bin"), qPrintable(message));
    }

    void a_tensor_must_lie_in_its_storage() {
        // torch_ordered.bin with one claim changed: the sizes of "plain", 4 × 6 to 4 × 7.
        std::string bytes = read_text(fixture("torch_ordered.bin")).value();
        const std::string sizes = std::string("K\x04K\x06\x86");
        const std::size_t at = bytes.find(sizes);
        QVERIFY(at != std::string::npos);
        bytes[at + 3] = 7;
        const auto tensors = parse_torch_file(std::as_bytes(std::span(bytes)), "f.bin");
        QVERIFY(!tensors && tensors.error().code == Code::malformed);
    }

    void every_truncation_is_refused() {
        const std::string whole = read_text(fixture("torch_ordered.bin")).value();
        for (std::size_t size = 0; size < whole.size(); ++size)
            QVERIFY(!parse_torch_file(std::as_bytes(std::span(whole.data(), size)), "f.bin"));
    }

    void shards_by_index() {
        const fs::path model = folder_ / "sharded";
        fs::create_directories(model);
        fs::copy_file(fixture("torch_ordered.bin"), model / "a.bin");
        fs::copy_file(fixture("torch_dict.bin"), model / "b.bin");
        write_file(model / "pytorch_model.bin.index.json",
                   "{\"weight_map\":{\"plain\":\"a.bin\",\"tail\":\"b.bin\"}}");
        const auto files = TensorFiles::open(model);
        QVERIFY2(files, files ? "" : files.error().message.c_str());
        QCOMPARE(files->tensors().size(), std::size_t{2});
        QCOMPARE(files->find("tail")->file, std::size_t{1});
        fs::remove(model / "b.bin");
        const auto missing = TensorFiles::open(model);
        QVERIFY(!missing && missing.error().code == Code::not_found);
    }
};

QTEST_GUILESS_MAIN(TestTorchFile)
#include "test_torch_file.moc"
