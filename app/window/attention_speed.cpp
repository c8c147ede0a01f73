#include "app/window/attention_speed.h"

#include <QApplication>
#include <QFile>
#include <QKeyEvent>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>

namespace vitrine::window {

namespace {

constexpr int sample_ms = 2;
constexpr int heads_opened = 12;
constexpr int cancel_after_ms = 2500;
constexpr int frames = 40; ///< of each zoom
constexpr std::array measures{views::Measure::score, views::Measure::value_weighted};
constexpr std::size_t heads_of_measure = 7;

/// A line of /proc/self/status, bytes; 0 where there is no such file.
std::uint64_t memory(const char* name) {
    QFile status(QStringLiteral("/proc/self/status"));
    if (!status.open(QIODevice::ReadOnly)) return 0;
    const QList<QByteArray> lines = status.readAll().split('\n');
    for (const QByteArray& line : lines)
        if (line.startsWith(name)) return line.simplified().split(' ').value(1).toULongLong() * 1024;
    return 0;
}

/// The peak counts from now on.
void forget_peak() {
    QFile refs(QStringLiteral("/proc/self/clear_refs"));
    if (refs.open(QIODevice::WriteOnly)) refs.write("5");
}

double at_share(std::vector<double> times, double share) {
    if (times.empty()) return 0;
    std::sort(times.begin(), times.end());
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
}

/// Prose, cut after so many tokens.
QString text_of(const engine::OpenModel& model, int tokens) {
    static constexpr std::array words{"the",  "old",   "man",  "at",    "sea",  "looked", "and",
                                      "said", "that",  "ship", "would", "sail", "before", "dawn",
                                      "when", "wind",  "came", "from",  "far",  "hills",  "she",
                                      "went", "home.", "It",   "was",   "dark", "then,",  "but"};
    std::uint32_t state = 1;
    std::string text;
    for (int i = 0; i < 2 * tokens; ++i) {
        state = state * 1664525U + 1013904223U;
        text += std::string(" ") + words[(state >> 16) % words.size()];
    }
    const auto spans = model.tokenizer->encode(text, tokenizer::Specials::by_template);
    if (!spans || static_cast<int>(spans->size()) < tokens) return QString::fromStdString(text);
    return QString::fromStdString(text.substr(0, (*spans)[static_cast<std::size_t>(tokens - 1)].end));
}

} // namespace

AttentionSpeed::AttentionSpeed(MainWindow& window, int tokens, QObject* parent)
    : QObject(parent), window_(window), tokens_(tokens) {
    connect(&clock_, &QTimer::timeout, this, &AttentionSpeed::look);
    clock_.start(sample_ms);
    heart_.setTimerType(Qt::PreciseTimer);
    connect(&heart_, &QTimer::timeout, this, [this] {
        double& longest = longest_pause_ms_[stage_];
        longest = std::max(longest, static_cast<double>(beat_.nsecsElapsed()) / 1e6);
        beat_.start();
    });
}

void AttentionSpeed::look() {
    const views::RunPtr& run = window_.desk().a();
    switch (stage_) {
    case Stage::model:
        if (window_.idle() && run) type_text();
        break;
    case Stage::run:
        if (!run || run->size() < tokens_ || window_.desk().stale()) break;
        run_ms_ = static_cast<double>(since_.nsecsElapsed()) / 1e6;
        engine_ms_ = run->engine_ms;
        since_run_.start();
        stage_ = Stage::open;
        break;
    case Stage::open:
        if (!waiting_) {
            open_next();
        } else if (window_.attention().settled()) {
            painted();
            if (!window_.attention().settled()) break; // it asked for finer tiles
            open_ms_.push_back(static_cast<double>(since_.nsecsElapsed()) / 1e6);
            waiting_ = false;
            if (open_ms_.size() == heads_opened) {
                pan_all();
                stage_ = Stage::thumbnails;
            }
        }
        break;
    case Stage::thumbnails:
        if (!window_.idle()) break;
        thumbnails_ms_ = static_cast<double>(since_run_.nsecsElapsed()) / 1e6;
        after_bytes_ = memory("VmRSS");
        peak_bytes_ = memory("VmHWM");
        stage_ = Stage::measures;
        next_measure();
        break;
    case Stage::measures: {
        if (!window_.attention().settled()) break;
        painted();
        if (!window_.attention().settled()) break;
        Times& times = measure_ms_[measures[measure_at_]];
        times.push_back(static_cast<double>(since_.nsecsElapsed()) / 1e6);
        if (times.size() < heads_of_measure) {
            open_next();
        } else {
            ++measure_at_;
            next_measure();
        }
        break;
    }
    case Stage::typing: // the run that the letter began
        if (since_.elapsed() < cancel_after_ms) break;
        since_.start();
        stage_ = Stage::cancelling;
        window_.bench().cancel_all();
        break;
    case Stage::cancelling:
        if (!window_.bench().jobs().empty()) break;
        cancel_ms_ = static_cast<double>(since_.nsecsElapsed()) / 1e6;
        report();
        break;
    }
}

void AttentionSpeed::type_text() {
    stage_ = Stage::run;
    forget_peak();
    before_bytes_ = memory("VmRSS");
    const QString text = text_of(*window_.bench().model(), tokens_);
    window_.doors_bar().hide();
    window_.show_page(tr("Attention"));
    beat_.start();
    heart_.start(1);
    since_.start();
    window_.prompt().set_text(text);
    window_.runner().set_text(text);
}

void AttentionSpeed::open_next() {
    const views::RunPtr& run = window_.desk().a();
    const int head = static_cast<int>(at_++) * 5 + 1; // none twice
    since_.start();
    waiting_ = true;
    window_.desk().selection.set_head(head / run->heads % run->layers, head % run->heads);
}

double AttentionSpeed::painted() {
    QElapsedTimer since;
    since.start();
    window_.attention().head_canvas()->repaint();
    return static_cast<double>(since.nsecsElapsed()) / 1e6;
}

// Zooms in at a point, and pans there; the event loop runs on, so that finer tiles come as they do for a
// person.
void AttentionSpeed::pan_all() {
    views::FigureCanvas* canvas = window_.attention().head_canvas();
    const QPointF at =
        canvas->frame().topLeft() + QPointF(0.35 * canvas->frame().width(), 0.55 * canvas->frame().height());
    for (const double factor : {1.5, 3.0, 5.0, 10.0}) {
        canvas->picture()->zoom(factor, at, canvas->frame(), window_.desk().theme());
        canvas->redraw();
        for (int frame = 0; frame < frames; ++frame) {
            const double angle = 0.3 * frame;
            QElapsedTimer since;
            since.start();
            canvas->picture()->pan(QPointF(9 * std::cos(angle), 7 * std::sin(angle)), canvas->frame(),
                                   window_.desk().theme());
            canvas->redraw();
            canvas->repaint();
            frame_ms_.push_back(static_cast<double>(since.nsecsElapsed()) / 1e6);
            since.start();
            canvas->picture()->describe(at, canvas->frame(), window_.desk().theme());
            hover_ms_.push_back(static_cast<double>(since.nsecsElapsed()) / 1e6);
            QApplication::processEvents(QEventLoop::AllEvents, 2);
        }
    }
    canvas->fit();
}

void AttentionSpeed::next_measure() {
    since_.start();
    if (measure_at_ < measures.size()) {
        window_.attention().choose(measures[measure_at_]);
        return;
    }
    window_.attention().choose(views::Measure::weight);
    type_letter();
}

void AttentionSpeed::type_letter() {
    stage_ = Stage::typing;
    since_.start();
    QKeyEvent press(QEvent::KeyPress, Qt::Key_Backspace, Qt::NoModifier),
        release(QEvent::KeyRelease, Qt::Key_Backspace, Qt::NoModifier);
    QApplication::sendEvent(window_.prompt().editor(), &press);
    QApplication::sendEvent(window_.prompt().editor(), &release);
    window_.repaint();
    key_ms_ = static_cast<double>(since_.nsecsElapsed()) / 1e6;
    since_.start();
}

void AttentionSpeed::report() {
    clock_.stop();
    heart_.stop();
    const views::RunPtr& run = window_.desk().a();
    const auto first = [&](views::Measure measure) { return measure_ms_[measure].front(); };
    const auto median = [&](views::Measure measure) {
        return at_share({measure_ms_[measure].begin() + 1, measure_ms_[measure].end()}, 0.5);
    };
    const auto megabytes = [](std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; };
    fmt::print("{{\"work\":\"attention\",\"model\":\"{}\",\"device\":\"{}\",\"tokens\":{},\"layers\":{},"
               "\"heads\":{},"
               "\"run_ms\":{:.0f},\"engine_ms\":{:.0f},"
               "\"open_median_ms\":{:.1f},\"open_p95_ms\":{:.1f},\"open_max_ms\":{:.1f},"
               "\"frame_median_ms\":{:.2f},\"frame_p95_ms\":{:.2f},\"frame_max_ms\":{:.2f},"
               "\"hover_median_ms\":{:.3f},\"hover_max_ms\":{:.3f},"
               "\"scores_first_ms\":{:.1f},\"scores_open_median_ms\":{:.1f},"
               "\"weighted_first_ms\":{:.0f},\"weighted_open_median_ms\":{:.1f},"
               "\"all_heads_ms\":{:.0f},\"key_ms\":{:.1f},\"cancel_ms\":{:.0f},\"pause_run_ms\":{:.1f},"
               "\"pause_open_ms\":{:.1f},\"pause_thumbnails_ms\":{:.1f},"
               "\"memory_before_mb\":{:.0f},\"memory_after_mb\":{:.0f},\"memory_peak_mb\":{:.0f},"
               "\"memory_measures_peak_mb\":{:.0f}}}\n",
               run->model.toStdString(), run->device.toStdString(), run->size(), run->layers, run->heads,
               run_ms_, engine_ms_, at_share(open_ms_, 0.5), at_share(open_ms_, 0.95), at_share(open_ms_, 1),
               at_share(frame_ms_, 0.5), at_share(frame_ms_, 0.95), at_share(frame_ms_, 1),
               at_share(hover_ms_, 0.5), at_share(hover_ms_, 1), first(views::Measure::score),
               median(views::Measure::score), first(views::Measure::value_weighted),
               median(views::Measure::value_weighted), thumbnails_ms_, key_ms_, cancel_ms_,
               longest_pause_ms_[Stage::run], longest_pause_ms_[Stage::open],
               longest_pause_ms_[Stage::thumbnails], megabytes(before_bytes_), megabytes(after_bytes_),
               megabytes(peak_bytes_), megabytes(memory("VmHWM")));
    std::fflush(stdout);
    window_.bench().cancel_all();
    emit finished();
}

} // namespace vitrine::window
