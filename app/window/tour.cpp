#include "app/window/tour.h"

#include <QDialog>
#include <QDir>
#include <QFile>
#include <QLineEdit>
#include <QPainter>
#include <QProcess>
#include <QTemporaryDir>
#include <cstdio>
#include <fmt/format.h>

namespace vitrine::window {

namespace {

constexpr int tour_look_ms = 50;
constexpr int calm_looks = 5;       ///< a stop is done after so many quiet looks
constexpr int longest_looks = 2400; ///< two minutes

struct Variant {
    const char* name;
    int width, height; ///< of the screen, in pixels of `ratio` × `ratio` device pixels
    int ratio;
};
// Prose of about 33 tokens a sentence.
QString story(int sentences) {
    QString text;
    for (int i = 0; i < sentences; ++i)
        text += QStringLiteral(
            "It was a dark evening, and the wind came in from the sea. The old man at the door said "
            "nothing, and she went on reading by the fire.\n");
    return text;
}

constexpr Variant variants[] = {{"light", 1366, 768, 1}, {"dark", 1366, 768, 1}, {"light-4k", 1920, 1080, 2}};

} // namespace

Tour::Tour(MainWindow& window, QString folder, QString variant, QObject* parent)
    : QObject(parent), window_(window), folder_(std::move(folder)), variant_(std::move(variant)) {
    window_.appearance().set_scheme(variant_ == QLatin1String("dark") ? Scheme::dark : Scheme::light);
    plan();
    clock_.setInterval(tour_look_ms);
    connect(&clock_, &QTimer::timeout, this, &Tour::look);
    clock_.start();
}

void Tour::plan() {
    const auto type = [this](const QString& text) {
        window_.doors_bar().hide(); // as for whoever types
        window_.prompt().set_text(text);
        window_.runner().set_text(text);
        window_.runner().commit();
    };
    const auto page = [this](const QString& name) { return [this, name] { window_.show_page(name); }; };
    stops_.push_back({QStringLiteral("attention"), [this] { window_.runner().commit(); }, {}});
    stops_.push_back({QStringLiteral("attention-log"),
                      [this] {
                          window_.attention().restore({{"log", true}, {"grid", true}});
                      },
                      {}});
    stops_.push_back({QStringLiteral("attention-no-sinks"),
                      [this] {
                          window_.attention().restore({{"sinks_out", true}, {"grid", true}});
                      },
                      {}});
    stops_.push_back({QStringLiteral("attention-arcs"),
                      [this] {
                          window_.attention().restore({{"arcs", true}, {"grid", true}});
                      },
                      {}});
    stops_.push_back({QStringLiteral("attention-value-weighted"),
                      [this] {
                          window_.attention().restore({{"grid", true}});
                          window_.attention().choose(views::Measure::value_weighted);
                      },
                      {}});
    stops_.push_back({QStringLiteral("attention-rollout"),
                      [this] { window_.attention().choose(views::Measure::rollout); },
                      {}});
    stops_.push_back({QStringLiteral("attention-set"),
                      [this] {
                          window_.desk().heads.set_all({{2, 3}, {5, 0}, {5, 1}});
                          window_.attention().restore({{"large", 2}, {"grid", true}});
                      },
                      {}});
    stops_.push_back({QStringLiteral("attention-one-head"),
                      [this, type] {
                          window_.desk().heads.set_all({});
                          window_.attention().restore({{"grid", false}});
                          type(QStringLiteral("When Mary and John went to the store, John gave a drink to"));
                      },
                      {}});
    stops_.push_back({QStringLiteral("compare"),
                      [this, type] {
                          window_.attention().restore({{"grid", true}});
                          window_.pin_current_as_b();
                          type(QStringLiteral("When Mary and John went to the store, Mary gave a drink to"));
                          window_.desk().set_side(views::Side::difference);
                      },
                      {}});
    stops_.push_back({QStringLiteral("compare-refused"),
                      [type] { type(QStringLiteral("When Mary and John went to the store, Mary gave")); },
                      {}});
    stops_.push_back({QStringLiteral("long-text"),
                      [this, type] {
                          window_.desk().set_side(views::Side::a);
                          type(story(6));
                      },
                      {}});
    // The way of long texts, on one that the default model has room for.
    stops_.push_back({QStringLiteral("attention-long"),
                      [this, type] {
                          qputenv("VITRINE_PATTERN_MIB", "8");
                          type(story(14));
                          window_.desk().selection.set_head(3, 1);
                      },
                      {}});
    stops_.push_back({QStringLiteral("attention-long-zoomed"),
                      [this] {
                          views::FigureCanvas* canvas = window_.attention().head_canvas();
                          window_.attention().restore({{"log", true}, {"grid", true}});
                          canvas->picture()->zoom(6, QRectF(canvas->frame()).center(), canvas->frame(),
                                                  window_.desk().theme());
                          canvas->redraw();
                      },
                      {}});
    stops_.push_back(
        {QStringLiteral("odd-tokens"),
         [this, type] {
             qunsetenv("VITRINE_PATTERN_MIB");
             window_.attention().restore({{"grid", true}});
             type(QString::fromUtf8(
                 "naïve café → नमस्ते\tสวัสดี 👩‍🚀 שלום\n  end"));
         },
         {}});
    stops_.push_back({QStringLiteral("heads"),
                      [this, type, page] {
                          type(QStringLiteral("The captain looked at the sea. The captain looked at the"));
                          window_.desk().selection.set_head(5, 1);
                          page(tr("Heads"))();
                      },
                      {}});
    stops_.push_back({QStringLiteral("heads-random"),
                      [this] {
                          window_.heads().choose_rows(views::HeadsPage::Rows::random);
                          window_.heads().choose_metric(QStringLiteral("sink"));
                      },
                      {}});
    stops_.push_back({QStringLiteral("heads-generation"),
                      [this] { window_.heads().choose_metric(QStringLiteral("prompt_mass_by_step")); },
                      {}});
    stops_.push_back({QStringLiteral("sinks"),
                      [this, type, page] {
                          type(story(4));
                          page(tr("Sinks"))();
                          window_.desk().selection.set_key(0);
                      },
                      {}});
    stops_.push_back({QStringLiteral("sinks-what-if"),
                      [this] { window_.sinks().switch_change(QStringLiteral("zero-value")); },
                      {}});
    stops_.push_back({QStringLiteral("sinks-policy"),
                      [this] {
                          window_.desk().edits.clear();
                          window_.sinks().switch_change(QStringLiteral("sinks+window"));
                      },
                      {}});
    stops_.push_back({QStringLiteral("sinks-last-keys"),
                      [this] {
                          window_.desk().edits.clear();
                          window_.desk().selection.set_query(window_.desk().a()->size() - 1);
                          window_.desk().selection.set_key(window_.desk().a()->size() - 5);
                      },
                      {}});
    stops_.push_back({QStringLiteral("streaming"),
                      [this, page] {
                          page(tr("Analyses"))();
                          if (AnalysisPage* analyses = window_.analysis_page(tr("Analyses"))) {
                              analyses->choose(QStringLiteral("streaming"));
                              analyses->run(true);
                          }
                      },
                      {}});
    stops_.push_back({QStringLiteral("entropy"),
                      [type, page] {
                          type(QStringLiteral("The captain looked at the sea. The captain looked at the"));
                          page(tr("Entropy"))();
                      },
                      {}});
    stops_.push_back({QStringLiteral("entropy-lanes"),
                      [this] {
                          window_.lanes().restore(
                              {{"values", {{"max_new", "24"}, {"heads", "L3H5,L5H2"}, {"window", "4"}}}});
                          window_.runner().generate();
                      },
                      {}});
    stops_.push_back(
        {QStringLiteral("entropy-alternatives"), [this] { window_.lanes().select_step(4); }, {}});
    stops_.push_back({QStringLiteral("entropy-branch"),
                      [this] {
                          LanesFeed& lanes = window_.lanes();
                          if (lanes.alternatives().size() > 1) lanes.branch_with(lanes.alternatives()[1].id);
                      },
                      {}});
    stops_.push_back({QStringLiteral("entropy-overlay"),
                      [this] {
                          std::vector<std::int64_t> all;
                          for (const auto& [step, one] : window_.lanes().generations().all())
                              all.push_back(step);
                          window_.lanes().show_generations(all);
                      },
                      {}});
    stops_.push_back(
        {QStringLiteral("entropy-two-differ"), [this] { window_.lanes().page().set_difference(true); }, {}});
    stops_.push_back({QStringLiteral("lens"),
                      [this, type, page] {
                          window_.lanes().page().set_difference(false);
                          type(QStringLiteral("The captain looked at the sea. The captain looked at the"));
                          page(tr("Lens"))();
                      },
                      {}});
    stops_.push_back({QStringLiteral("lens-pinned"),
                      [this] {
                          const auto& run = window_.desk().a();
                          for (std::size_t rank = 0; rank < 2 && rank < run->next.back().top.size(); ++rank)
                              window_.pins().toggle(run->next.back().top[rank].id);
                      },
                      {}});
    stops_.push_back({QStringLiteral("cause"),
                      [this, page] {
                          window_.pins().restore({});
                          page(tr("Cause"))();
                          window_.cause().measure();
                      },
                      {}});
    stops_.push_back({QStringLiteral("cause-circuit"),
                      [this] {
                          const QStringList members = window_.cause().circuit();
                          if (!members.isEmpty()) window_.cause().toggle_in_circuit(members.front());
                          window_.cause().toggle_in_circuit(QStringLiteral("L2H1"));
                      },
                      {}});
    stops_.push_back({QStringLiteral("cause-table"), [this] { window_.cause().show_table(); },
                      [this] { return static_cast<QWidget*>(&window_.cause().show_table()); }});
    stops_.push_back({QStringLiteral("cause-heads"),
                      [this] {
                          window_.cause().show_table().close();
                          AnalysisPage* effects = window_.cause().main();
                          effects->show_again(
                              QStringLiteral("patch"),
                              {{"site", "z"}, {"axes", "layer,head"}, {"direction", "noise"}});
                      },
                      {}});
    stops_.push_back({QStringLiteral("head-metrics"),
                      [this, page] {
                          window_.pins().restore({});
                          page(tr("Analyses"))();
                          if (AnalysisPage* analyses = window_.analysis_page(tr("Analyses"))) {
                              analyses->choose(QStringLiteral("head-metrics"));
                              analyses->run(true);
                          }
                      },
                      {}});
    stops_.push_back({QStringLiteral("analyses"),
                      [this, page] {
                          page(tr("Analyses"))();
                          if (AnalysisPage* analyses = window_.analysis_page(tr("Analyses"))) {
                              analyses->choose(QStringLiteral("attention"));
                              analyses->run(true);
                          }
                      },
                      {}});
    stops_.push_back({QStringLiteral("intervention"),
                      [this, type, page] {
                          page(tr("Attention"))();
                          type(QStringLiteral("When Mary and John went to the store, John gave a book to"));
                          window_.desk().edits.add(QStringLiteral("L5H3 zero"));
                          window_.desk().edits.add(QStringLiteral("blocks.2.hook_mlp_out pos=-1 scale 0.5"));
                          window_.desk().edits.set_on(1, false);
                          window_.desk().set_side(views::Side::difference);
                      },
                      {}});
    stops_.push_back(
        {QStringLiteral("intervention-set"),
         [this] {
             window_.desk().edits.add(QStringLiteral("L3H1 pos=4:7 scale 0.25"));
             window_.desk().edit_sets.save(QStringLiteral("names"), window_.desk().edits.all());
             window_.desk().edit_sets.save(QStringLiteral("one head"), {{QStringLiteral("L5H3 zero"), true}});
         },
         {}});
    stops_.push_back({QStringLiteral("intervention-menu"),
                      [this] { emit window_.edits().sets()->aboutToShow(); },
                      [this] { return static_cast<QWidget*>(window_.edits().sets()); }});
    stops_.push_back({QStringLiteral("intervention-direction"),
                      [this] {
                          direction_ = new views::DirectionDialog(window_.desk(), &window_);
                          direction_->set_file(QStringLiteral("kind.npy"));
                          direction_->show();
                      },
                      [this] { return static_cast<QWidget*>(direction_); }});
    stops_.push_back({QStringLiteral("intervention-refused"),
                      [this] {
                          delete direction_;
                          window_.desk().edits.remove(2);
                          window_.desk().set_side(views::Side::b);
                          window_.edits().field()->setText(QStringLiteral("L5H3 halve"));
                          emit window_.edits().field()->returnPressed();
                      },
                      {}});
    stops_.push_back({QStringLiteral("entropy-difference"),
                      [this, page] {
                          window_.desk().set_side(views::Side::difference);
                          page(tr("Entropy"))();
                      },
                      {}});
    stops_.push_back({QStringLiteral("second-place"),
                      [this, page] {
                          window_.edits().field()->clear();
                          window_.desk().edits.clear();
                          window_.desk().set_side(views::Side::a);
                          page(tr("Attention"))();
                          window_.desk().selection.set_second(views::Place{1, 2, 12, 4});
                      },
                      {}});
    for (const views::Door& door : window_.doors_bar().doors())
        stops_.push_back({QStringLiteral("door-") + door.id,
                          [this, id = door.id] {
                              window_.desk().selection.set_second(std::nullopt);
                              window_.doors().open(id);
                          },
                          {}});
    stops_.push_back({QStringLiteral("model"),
                      [this, page] {
                          window_.desk().edits.clear();
                          window_.doors_bar().hide();
                          page(tr("Model"))();
                      },
                      {}});
    stops_.push_back({QStringLiteral("model-training"), [this] { window_.show_training(); }, {}});
    stops_.push_back({QStringLiteral("model-training-sinks"),
                      [this] {
                          window_.training().set_values({{"metric", "sink"}});
                      },
                      {}});
    stops_.push_back({QStringLiteral("model-weights"),
                      [this] {
                          window_.show_weights();
                          if (AnalysisPage* weights = window_.analysis_page(tr("Weights"))) {
                              weights->choose(QStringLiteral("ov-qk"));
                              weights->run(false);
                          }
                      },
                      {}});
    stops_.push_back({QStringLiteral("session"),
                      [this, page] {
                          page(tr("Session"))();
                          window_.session_page().select_step(2);
                      },
                      {}});
    stops_.push_back({QStringLiteral("replay"), [this] { window_.session_actions().replay(); }, {}});
    stops_.push_back({QStringLiteral("settings"),
                      [this, page] {
                          page(tr("Attention"))();
                          settings_ = window_.show_settings();
                      },
                      [this] { return static_cast<QWidget*>(settings_); }});
    stops_.push_back({QStringLiteral("search"),
                      [this] {
                          settings_->close();
                          window_.open_palette(QStringLiteral("s"));
                      },
                      [this] { return static_cast<QWidget*>(&window_.palette_dialog()); }});
    stops_.push_back({QStringLiteral("help"),
                      [this] {
                          window_.palette_dialog().hide();
                          window_.help_dialog().show_topic(QStringLiteral("attention"));
                      },
                      [this] { return static_cast<QWidget*>(&window_.help_dialog()); }});
    stops_.push_back({QStringLiteral("empty-prompt"),
                      [this, type] {
                          window_.help_dialog().hide();
                          type(QString());
                      },
                      {}});
}

void Tour::look() {
    if (at_ == stops_.size()) {
        clock_.stop();
        emit finished(true);
        return;
    }
    const Stop& stop = stops_[at_];
    if (!window_.idle() || !window_.desk().a()) {
        calm_ = 0;
        if (++waited_ > longest_looks) {
            fmt::print(stderr, "The tour stopped at {}: the window was not done after two minutes.\n",
                       stop.name.toStdString());
            clock_.stop();
            emit finished(false);
        }
        return;
    }
    if (!gone_) {
        stop.go();
        gone_ = true;
        calm_ = 0;
        return;
    }
    if (++calm_ < calm_looks) return;
    if (!take(stop)) {
        clock_.stop();
        emit finished(false);
        return;
    }
    ++at_;
    calm_ = waited_ = 0;
    gone_ = false;
}

bool Tour::take(const Stop& stop) {
    QPixmap picture = window_.grab();
    if (stop.on_top) {
        QWidget* dialog = stop.on_top();
        QPainter painter(&picture);
        const QPoint at((window_.width() - dialog->width()) / 2,
                        dialog->windowFlags() & Qt::Popup ? 48 : (window_.height() - dialog->height()) / 2);
        painter.drawPixmap(at, dialog->grab());
    }
    const QString file = QStringLiteral("%1/%2-%3-%4.png")
                             .arg(folder_)
                             .arg(at_ + 1, 2, 10, QLatin1Char('0'))
                             .arg(stop.name, variant_);
    if (picture.save(file)) return true;
    fmt::print(stderr, "{}: cannot be written; choose another folder for the tour.\n", file.toStdString());
    return false;
}

bool run_tour(const QString& program, const QString& folder) {
    if (!QDir().mkpath(folder)) {
        fmt::print(stderr, "{}: the folder cannot be made; choose another one for the tour.\n",
                   folder.toStdString());
        return false;
    }
    for (const Variant& variant : variants) {
        QTemporaryDir scratch; // its own session and settings: a tour leaves no trace in the user's
        QFile config(scratch.filePath(QStringLiteral("screen.json")));
        if (!scratch.isValid() || !config.open(QIODevice::WriteOnly)) {
            fmt::print(
                stderr,
                "The tour needs a folder for temporary files; set TMPDIR to one that can be written.\n");
            return false;
        }
        config.write(
            fmt::format(
                "{{\"screens\":[{{\"name\":\"tour\",\"x\":0,\"y\":0,\"width\":{},\"height\":{},\"dpr\":{},"
                "\"logicalDpi\":96,\"logicalBaseDpi\":96}}]}}",
                variant.width, variant.height, variant.ratio)
                .c_str());
        config.close();
        QProcess child;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("QT_QPA_PLATFORM"),
                           QStringLiteral("offscreen:configfile=") + config.fileName());
        environment.insert(QStringLiteral("XDG_CONFIG_HOME"), scratch.path());
        child.setProcessEnvironment(environment);
        child.setProcessChannelMode(QProcess::ForwardedChannels);
        child.start(program, {QStringLiteral("--tour"), folder, QStringLiteral("--tour-variant"),
                              QString::fromLatin1(variant.name), QStringLiteral("--session"),
                              scratch.filePath(QStringLiteral("tour.vitrine"))});
        if (!child.waitForFinished(-1) || child.exitStatus() != QProcess::NormalExit || child.exitCode() != 0)
            return false;
    }
    return true;
}

} // namespace vitrine::window
