// The page Cause on the default model: a behaviour is chosen and measured, and what the model card says of
// its heads is what the pictures show.
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <cmath>

#include "app/window/cause_rows.h"
#include "app/window/main_window.h"
#include "tests/views/window_under_test.h"
#include "views/cause/effect_pictures.h"
#include "views/cause/place_on_map.h"
#include "views/figure/column.h"
#include "views/figure/curves.h"
#include "views/figure/heatmap.h"
#include "views/figure/text.h"

using namespace vitrine;
using namespace vitrine::window;
using vitrine::test::in_folder;
using vitrine::test::patience_ms;

namespace {

const engine::ResultValue& result(const engine::AnalysisRecord& record, const char* name) {
    const auto found = std::find_if(record.results.begin(), record.results.end(),
                                    [&](const engine::ResultValue& one) { return one.name == name; });
    if (found == record.results.end()) qFatal("%s is no result", name);
    return *found;
}

const figure::Heatmap& map_of(AnalysisPage& page, std::size_t part) {
    const auto column = std::dynamic_pointer_cast<figure::Column>(page.canvas()->picture());
    if (!column || column->parts.size() <= part) qFatal("no such picture");
    const auto* map = dynamic_cast<const figure::Heatmap*>(column->parts[part].get());
    if (map == nullptr) qFatal("no map");
    return *map;
}

} // namespace

class TestWindowCause : public QObject {
    Q_OBJECT

private slots:
    static void initTestCase() { vitrine::test::prepare("vitrine-test-cause"); }

    void a_set_of_ones_own_is_written_in_a_table() {
        const QTemporaryDir folder;
        const QString file = folder.filePath("my pairs.jsonl");
        {
            MainWindow window(in_folder(folder));
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            window.show_page("Cause");
            CausePage& page = window.cause();
            views::PairTable& table = page.show_table();
            const std::vector<views::Pair> shipped = table.pairs(); // those of the chosen set, to start from
            QCOMPARE(static_cast<int>(shipped.size()), page.pair().pairs());
            QCOMPARE(table.fitting(), static_cast<int>(shipped.size()));

            table.show_set({}, {});
            QVERIFY(table.pairs().empty());
            const views::Pair& a = shipped[0];
            const views::Pair b{a.corrupted, a.clean, a.distractor, a.answer}; // as long as a
            table.paste(QStringList{a.clean, a.corrupted, a.answer, a.distractor}.join('\t') + "\n" +
                        QStringList{b.clean, b.corrupted + " and more", b.answer, b.distractor}.join('\t'));
            QCOMPARE(table.pairs().size(), std::size_t{2});
            QCOMPARE(table.fitting(), 1); // the second is longer when it is corrupted
            QVERIFY(!table.use(folder.filePath("no such folder/x.jsonl")));

            QFile csv(folder.filePath("more.csv"));
            QVERIFY(csv.open(QIODevice::WriteOnly));
            csv.write(QStringLiteral("clean,corrupted,answer,distractor\n\"%1\",\"%2\",\"%3\",\"%4\"\n")
                          .arg(b.clean, b.corrupted, b.answer, b.distractor)
                          .toUtf8());
            csv.close();
            table.import_file(csv.fileName());
            QCOMPARE(table.pairs().back(), b);
            QCOMPARE(table.fitting(), 2);
            table.undo();
            QCOMPARE(table.pairs().size(), std::size_t{2});
            table.import_file(csv.fileName());
            QVERIFY(table.use(file));

            QCOMPARE(page.pair().behaviour(), file);
            QCOMPARE(page.pair().pairs(), 2); // what does not fit is left out
            QCOMPARE(page.pair().pair(), a);
            page.pair().set_whole(true);
            page.measure();
            QTRY_VERIFY_WITH_TIMEOUT(page.main()->shown() && window.idle(), patience_ms);
            QVERIFY(page.main()->canvas()->source().command.contains("--prompts '" + file + "'"));
            const auto* patch = page.main()->shown();
            QVERIFY(patch->id == "patch" && result(*patch, "clean").data.front() > 1);
        }
        MainWindow again(in_folder(folder)); // the session knows the set
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        again.show_page("Cause");
        QTRY_COMPARE_WITH_TIMEOUT(again.cause().pair().behaviour(), file, patience_ms);
        QCOMPARE(again.cause().show_table().pairs().size(), std::size_t{3}); // also the row that does not fit
        QVERIFY(QFile::resize(file, 20)); // damaged: it is said, and the table does not stand for the file
        QCOMPARE(again.cause().show_table().pairs().size(), std::size_t{0});
        QVERIFY(again.cause().show_table().findChild<QLabel*>()->text().contains("my pairs.jsonl"));
    }

    void a_behaviour_is_measured() {
        const QTemporaryDir folder;
        {
            MainWindow window(in_folder(folder));
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            window.show_page("Cause");
            views::PairPanel& pair = window.cause().pair();
            QCOMPARE(pair.behaviour(), QString("ioi-tiny")); // the model's own sets come first
            QVERIFY(pair.pairs() > 100);
            QVERIFY(!pair.pair().corrupted.isEmpty() && pair.pair().answer.startsWith(' '));

            QSignalSpy circuit(window.cause().beside(1), &AnalysisPage::finished);
            window.cause().measure();
            QTRY_VERIFY_WITH_TIMEOUT(circuit.count() > 0 && window.idle(), patience_ms);
            const engine::AnalysisRecord* patch = window.cause().main()->shown();
            QVERIFY(patch && patch->id == "patch" && patch->step > 0);
            // Restoring the token that differs, where it comes in, restores everything.
            const engine::ResultValue& effect = result(*patch, "effect");
            const double clean = result(*patch, "clean").data.front();
            const auto positions = static_cast<std::ptrdiff_t>(effect.axes.back().size);
            QVERIFY(clean > 1 && std::find(effect.data.begin(), effect.data.begin() + positions, clean) !=
                                     effect.data.begin() + positions);
            // Effect and control share one scale around the corrupted run.
            const figure::Heatmap& map = map_of(*window.cause().main(), 0);
            const figure::Heatmap& control = map_of(*window.cause().main(), 1);
            QCOMPARE(map.style.scale.max, control.style.scale.max);
            QVERIFY(std::abs((map.style.scale.min + map.style.scale.max) / 2 -
                             result(*patch, "corrupted").data.front()) < 1e-9);
            // The circuit is made of heads whose loss costs the answer.
            const auto curves =
                std::dynamic_pointer_cast<figure::Curves>(window.cause().beside(1)->canvas()->picture());
            QVERIFY(curves && curves->lines.size() == 3);
            const auto names = views::strongest(window.cause().beside(0)->shown()->results, "logit-diff", 3);
            QCOMPARE(names.size(), std::size_t{3});
            QVERIFY(dump_json(window.cause().beside(1)->shown()->parameters).find(names[0]) !=
                    std::string::npos);
            window.close();
        }
        // What was chosen is there again.
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        again.show_page("Cause");
        QCOMPARE(again.cause().pair().behaviour(), QString("ioi-tiny"));
    }

    void rows_of_the_next_tokens_fill_answer_and_distractor() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        QVERIFY(QTest::qWaitForWindowActive(&window));
        window.show_page("Cause");
        views::PairPanel& pair = window.cause().pair();
        pair.choose({}); // prompts of one's own: none yet
        pair.set_pair({});
        pair.set_whole(false);
        auto* table = window.findChild<views::NextTokensView*>();
        const auto& top = window.desk().a()->next.back().top;
        const auto row_at = [&](std::size_t row) {
            const auto picture = std::dynamic_pointer_cast<figure::NextTokens>(table->picture());
            for (int y = 0; picture && y < table->height(); ++y)
                if (picture->row_at(QPointF(20, y), table->frame()) == static_cast<int>(row))
                    return QPoint(20, y + 2);
            qFatal("no such row");
        };
        const auto text_of = [&](std::size_t row) {
            return QString::fromStdString(window.desk().a()->token_of(top[row].id).bytes);
        };
        QTest::mouseClick(table, Qt::LeftButton, {}, row_at(0)); // no field is being filled
        QVERIFY(pair.pair().answer.isEmpty());
        QLineEdit* field = nullptr;
        for (QLineEdit* one : pair.findChildren<QLineEdit*>())
            if (one->accessibleName() == "Answer") field = one;
        QVERIFY(field);
        field->setFocus();
        QTest::mouseClick(table, Qt::LeftButton, {}, row_at(1));
        QCOMPARE(pair.pair().answer, text_of(1));
        QTRY_VERIFY(field->hasFocus()); // another click fills it again
        QTest::mouseClick(table, Qt::LeftButton, {}, row_at(0));
        QCOMPARE(pair.pair().answer, text_of(0));
        // The menu of a row does it from every page, and brings the prompt along where there is none yet.
        window.show_page("Attention");
        const auto menu = table->menu_at(row_at(2));
        QAction* use = nullptr;
        for (QAction* action : menu->actions())
            if (action->text() == "Use as distractor") use = action;
        QVERIFY(use);
        use->trigger();
        QCOMPARE(window.page(), QString("Cause"));
        QCOMPARE(pair.pair().distractor, text_of(2));
        QCOMPARE(pair.pair().clean, window.desk().a()->prompt);
        QCOMPARE(pair.pair().answer, text_of(0));
    }

    void a_token_that_its_text_does_not_name_goes_by_its_id() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        const engine::OpenModel& model = *window.bench().model();
        int by_text = 0, by_id = 0;
        for (std::int32_t id = 0; id < model.model.spec.vocab; ++id) {
            const QString field = field_of_token(model, id);
            if (field == QString("#%1").arg(id)) {
                ++by_id;
                continue;
            }
            ++by_text;
            // What the field says is read back as this very token.
            const auto read = model.tokenizer->encode(field.toStdString(), tokenizer::Specials::none);
            QVERIFY(read && read->size() == 1 && read->front().id == id);
        }
        QVERIFY(by_text > 100 && by_id > 0); // controls, newlines, special tokens
    }

    void the_circuit_is_listed_and_changed_by_hand() {
        const QTemporaryDir folder;
        QStringList by_hand;
        {
            MainWindow window(in_folder(folder));
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            window.show_page("Cause");
            CausePage& cause = window.cause();
            QVERIFY(cause.circuit_bar().words().startsWith("No circuit yet"));
            QSignalSpy measured(cause.beside(1), &AnalysisPage::finished);
            cause.measure();
            QTRY_VERIFY_WITH_TIMEOUT(measured.count() > 0 && window.idle(), patience_ms);
            const QStringList strongest = cause.circuit();
            QVERIFY(strongest.size() > 2);
            const auto last = [&] {
                return figure::number(result(*cause.beside(1)->shown(), "faithfulness").data.back());
            };
            const auto words = [&] { return cause.circuit_bar().words(); };
            QVERIFY2(words().startsWith("faithfulness " + last()), qPrintable(words()));
            for (const QString& member : strongest)
                QVERIFY(words().contains(member));
            QVERIFY(!words().contains("the strongest"));

            // Out with the first, by the menu of the map of heads.
            views::FigureCanvas* map = cause.beside(0)->canvas();
            const auto act = [&](views::FigureCanvas* canvas, const QString& title) {
                for (int y = 0; y < canvas->height(); y += 4)
                    for (int x = 0; x < canvas->width(); x += 8) {
                        const auto menu = canvas->menu_at(QPointF(x, y));
                        for (QAction* action : menu->actions())
                            if (action->text() == title) {
                                action->trigger();
                                return true;
                            }
                    }
                return false;
            };
            QVERIFY(act(map, QString("Remove %1 from the circuit").arg(strongest.front())));
            by_hand = strongest.mid(1);
            QCOMPARE(cause.circuit(), by_hand);
            QVERIFY2(words().contains("not measured yet"), qPrintable(words()));
            const int before = static_cast<int>(measured.count());
            QTRY_VERIFY_WITH_TIMEOUT(measured.count() > before && window.idle(), patience_ms);
            QVERIFY2(words().startsWith("faithfulness " + last()), qPrintable(words()));
            QVERIFY(words().contains("the strongest"));
            // What was named by hand stays when the effects are measured again.
            cause.measure();
            QTRY_VERIFY_WITH_TIMEOUT(measured.count() > before + 1 && window.idle(), patience_ms);
            QCOMPARE(cause.circuit(), by_hand);
            // In again, at the end, by the key.
            window.desk().selection.set_head(strongest.front().mid(1).section('H', 0, 0).toInt(),
                                             strongest.front().section('H', 1).toInt());
            QVERIFY(QTest::qWaitForWindowActive(&window));
            map->setFocus();
            QTest::keyClick(map, Qt::Key_C);
            QCOMPARE(cause.circuit(), by_hand + QStringList(strongest.front()));
            QTest::keyClick(map, Qt::Key_C);
            QCOMPARE(cause.circuit(), by_hand);
            // An MLP is one of the nodes then.
            cause.toggle_in_circuit("M0");
            QTRY_VERIFY2_WITH_TIMEOUT(window.idle() && words().startsWith("faithfulness"),
                                      qPrintable(words()), patience_ms);
            QVERIFY(words().contains("M0"));
            cause.toggle_in_circuit("M0");
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && words().startsWith("faithfulness"), patience_ms);
            // A place of the residual stream is no member, but can be taken out.
            window.desk().edits.clear();
            QVERIFY(act(cause.main()->canvas(), "Ablate resid_pre of layer 2 at position 3"));
            QCOMPARE(window.desk().edits.active(), QStringList("blocks.2.hook_resid_pre pos=3 zero"));
            QVERIFY(act(cause.main()->canvas(), "Put resid_pre of layer 2 at position 3 back"));
            QVERIFY(window.desk().edits.active().isEmpty());
            QTRY_VERIFY_WITH_TIMEOUT(window.idle(), patience_ms);
            window.close();
        }
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        again.show_page("Cause");
        QCOMPARE(again.cause().circuit(), by_hand);
        QTRY_VERIFY(again.cause().circuit_bar().words().contains("the strongest"));
        emit again.cause().circuit_bar().strongest_wanted();
    }

    void places_of_maps_are_components_data() {
        QTest::addColumn<QString>("analysis");
        QTest::addColumn<QString>("site");
        QTest::addColumn<int>("layer");
        QTest::addColumn<int>("head");
        QTest::addColumn<int>("position");
        QTest::addColumn<QString>("member");
        QTest::addColumn<QString>("edit");
        const auto row = [](const char* analysis, const char* site, int layer, int head, int position,
                            const char* member, const char* edit) {
            QTest::addRow("%s %s %d %d %d", analysis, site, layer, head, position)
                << analysis << site << layer << head << position << member << edit;
        };
        row("ablate", "heads", 5, 3, -1, "L5H3", "L5H3 zero");
        row("ablate", "mlps", 4, -1, -1, "M4", "blocks.4.hook_mlp_out zero");
        row("ablate", "attns", 4, -1, -1, "", "blocks.4.hook_attn_out zero");
        row("ablate", "neurons", 4, -1, -1, "", "");
        row("patch", "resid_post", 1, -1, 6, "", "blocks.1.hook_resid_post pos=6 zero");
        row("patch", "mlp_out", 1, -1, 6, "M1", "blocks.1.hook_mlp_out pos=6 zero");
        row("patch", "z", 1, -1, 6, "", "blocks.1.attn.hook_z pos=6 zero");
        row("patch", "z", 1, 2, -1, "L1H2", "L1H2 zero");
        row("patch", "z", -1, 2, 6, "L3H2", "L3H2 pos=6 zero"); // of one layer: the parameter's
        row("path-patch", "", 2, -1, -1, "M2", "blocks.2.hook_mlp_out zero");
        row("path-patch", "", 2, 7, -1, "L2H7", "L2H7 zero");
        row("skip-sublayers", "", 2, -1, -1, "", "");
        row("selectivity", "heads", 2, -1, -1, "", "");
    }

    void places_of_maps_are_components() {
        QFETCH(QString, analysis);
        QFETCH(QString, site);
        QFETCH(int, layer);
        QFETCH(int, head);
        QFETCH(int, position);
        Json parameters{{"layer", layer < 0 ? Json("3") : Json("all")}};
        if (!site.isEmpty()) parameters["site"] = site.toStdString();
        const views::Component component =
            views::component_at(analysis.toStdString(), parameters, {layer, head, position, -1});
        QTEST(component.member, "member");
        QTEST(component.edit, "edit");
        QCOMPARE(component.name.isEmpty(), component.edit.isEmpty());
    }

    void prompts_of_ones_own_are_told_what_is_wrong() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        window.show_page("Cause");
        views::PairPanel& pair = window.cause().pair();
        pair.choose({});
        const auto words = [&] {
            QStringList out;
            for (const QLabel* label : pair.findChildren<QLabel*>())
                if (label->isVisible()) out << label->text();
            return out.join(' ');
        };
        const auto can_measure = [&] {
            for (const QPushButton* button : pair.findChildren<QPushButton*>())
                if (button->text() == "Measure") return button->isEnabled();
            return false;
        };
        pair.set_pair({"The captain looked at the", "The man looked at the", " sea", " fire"});
        QVERIFY2(words().contains("patching needs equally many"), qPrintable(words()));
        QVERIFY(!can_measure());
        pair.set_pair({"The old man looked at the", "The old man went to the", " unheard-of", ""});
        QVERIFY2(words().contains("unheard"), qPrintable(words()));
        QVERIFY(!can_measure());
        pair.set_pair({"The captain looked at the", "The captain went to the", " sea", " fire"});
        QVERIFY2(can_measure(), qPrintable(words()));
        QVERIFY(words().contains("tokens differ"));
    }
};

QTEST_MAIN(TestWindowCause)
#include "test_window_cause.moc"
