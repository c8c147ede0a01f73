// Closed forms for the smallest parts: halves, hashes, JSON errors, the thread pool.
#include <atomic>
#include <bit>
#include <cmath>
#include <numeric>

#include <QtTest>

#include "core/base/cache_folder.h"
#include "core/base/dtype.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/mapped_file.h"
#include "core/base/memory.h"
#include "core/base/thread_pool.h"

using namespace vitrine;

class TestBase : public QObject {
    Q_OBJECT
private slots:
    void every_half_survives_the_round_trip() {
        for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
            const float wide = half_to_float(static_cast<std::uint16_t>(bits));
            if (std::isnan(wide)) continue;
            QCOMPARE(float_to_half(wide), static_cast<std::uint16_t>(bits));
        }
    }

    void bfloat_is_the_upper_half_of_a_float() {
        QCOMPARE(bfloat_to_float(0x3FC0), 1.5F);
        QCOMPARE(float_to_bfloat(1.5F), std::uint16_t{0x3FC0});
        QCOMPARE(float_to_bfloat(std::bit_cast<float>(0x3F808000U)), std::uint16_t{0x3F80}); // tie to even
    }

    void sha256_of_abc() {
        QCOMPARE(sha256("abc"),
                 std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }

    void broken_json_names_its_line() {
        const auto result = parse_json("{\n\"a\": }", "config.json");
        QVERIFY(!result);
        QCOMPARE(result.error().code, Code::malformed);
        QVERIFY(result.error().message.find("config.json is not valid JSON: line 2") == 0);
    }

    void floats_are_written_so_that_they_read_back() {
        const double value = 0.1F;
        const auto back = parse_json(dump_json(Json(value)), "text");
        QCOMPARE(back->get<double>(), value);
        QCOMPARE(dump_json(Json(std::nan(""))), std::string("null"));
    }

    void canonical_json_does_not_depend_on_the_order_of_keys() {
        const auto one = parse_json(R"({"b": [1.5, {"d": null, "c": "é"}], "a": -3})", "text");
        const auto two = parse_json(R"({"a":-3,"b":[1.5,{"c":"é","d":null}]})", "text");
        QCOMPARE(canonical_json(*one), std::string(R"({"a":-3,"b":[1.5,{"c":"é","d":null}]})"));
        QCOMPARE(canonical_json(*one), canonical_json(*two));
    }

    void a_loop_visits_every_index_once() {
        ThreadPool pool(3);
        for (int repeat = 0; repeat < 200; ++repeat) {
            std::vector<std::atomic<int>> visits(97);
            pool.parallel_for(visits.size(), [&](std::size_t i) { visits[i].fetch_add(1); });
            for (const auto& count : visits)
                QCOMPARE(count.load(), 1);
        }
    }

    void memory_that_runs_out_in_any_thread_is_an_error_of_the_caller() {
        ThreadPool pool(3);
        for (std::size_t thrower = 0; thrower < 97; ++thrower) {
            const Status status = within_memory("There is no room.", [&]() -> Status {
                pool.parallel_for(97, [&](std::size_t i) {
                    if (i == thrower) throw std::bad_alloc();
                });
                return {};
            });
            QVERIFY(!status);
            QCOMPARE(status.error().code, Code::out_of_memory);
            QCOMPARE(status.error().message, std::string("There is no room."));
        }
        std::atomic<int> visits = 0;
        pool.parallel_for(97, [&](std::size_t) { ++visits; });
        QCOMPARE(visits.load(), 97);
    }

    void the_cache_lies_where_the_user_says() {
        const QTemporaryDir folder;
        const auto in = [](const char* cache, const char* home) {
            cache != nullptr ? qputenv("XDG_CACHE_HOME", cache) : qunsetenv("XDG_CACHE_HOME");
            home != nullptr ? qputenv("HOME", home) : qunsetenv("HOME");
            return cache_folder().string();
        };
        const QByteArray cache = qgetenv("XDG_CACHE_HOME");
        const QByteArray home = qgetenv("HOME");
        QCOMPARE(in("/c", "/h"), std::string("/c/vitrine"));
        QCOMPARE(in(nullptr, "/h"), std::string("/h/.cache/vitrine"));
        QCOMPARE(in("relative", "/h"), std::string("/h/.cache/vitrine")); // does not count: the XDG rule
        QCOMPARE(in("", "/h"), std::string("/h/.cache/vitrine"));
        QCOMPARE(in(nullptr, nullptr), std::string());
        QCOMPARE(in("relative", "relative"), std::string());
        qputenv("XDG_CACHE_HOME", cache);
        qputenv("HOME", home);

        const auto file = std::filesystem::path(folder.path().toStdString()) / "a" / "b";
        write_cache(file, "first");
        write_cache(file, "second");
        QCOMPARE(read_text(file).value(), std::string("second"));
        QCOMPARE(QDir(folder.filePath("a")).entryList(QDir::Files), QStringList{"b"});
        write_cache("/proc/no/such/place", "is no error");
    }
};

QTEST_GUILESS_MAIN(TestBase)
#include "test_base.moc"
