// A disk that takes no more: one sentence, no file left, and the next file is written as if nothing had been.
// The limit on a file's size stands in for the disk: the system refuses the write in the same place.
#include <csignal>

#include <sys/resource.h>

#include <QtTest>

#include "core/store/activation_reader.h"
#include "core/store/activation_writer.h"

using namespace vitrine;
using namespace vitrine::store;
namespace fs = std::filesystem;

namespace {

/// While it lives no file can grow beyond `bytes`.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
};

/// Writes eight arrays of 40 kB; the first failure ends it.
Status write_file(const fs::path& file) {
    FileHeader header;
    header.spec = std::string(3000, 'x');
    VITRINE_ASSIGN(auto writer, ActivationWriter::create(file, header));
    const Tensor values(Shape{100, 100});
    for (int row = 0; row < 8; ++row)
        VITRINE_TRY(writer.add(row, "hook_embed", {"pos", "d"}, values.view()));
    VITRINE_TRY(writer.finish());
    return {};
}

} // namespace

class TestFullDisk : public QObject {
    Q_OBJECT
private slots:
    void nothing_is_left_wherever_the_write_stops() {
        QTemporaryDir dir;
        const fs::path folder = dir.path().toStdString();
        int refused = 0;
        // From the first byte to the last page of metadata that is flushed when the file is closed.
        for (rlim_t limit = 0; limit < 400000; limit = limit < 20000 ? limit + 512 : limit + 9973) {
            Status status;
            {
                const FileSizeLimit full(limit);
                status = write_file(folder / "run.h5");
            }
            if (status) break;
            ++refused;
            QCOMPARE(status.error().code, Code::io);
            QVERIFY2(status.error().message.find("File too large") != std::string::npos,
                     status.error().message.c_str());
            QVERIFY(fs::is_empty(folder));
        }
        QVERIFY(refused > 50);
        QVERIFY(write_file(folder / "run.h5"));
        QCOMPARE(ActivationReader::open(folder / "run.h5")->datasets().size(), std::size_t{8});
    }
};

QTEST_GUILESS_MAIN(TestFullDisk)
#include "test_full_disk.moc"
