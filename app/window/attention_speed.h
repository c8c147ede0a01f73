#pragma once
#include <QElapsedTimer>
#include <QTimer>
#include <map>

#include "app/window/main_window.h"

namespace vitrine::window {

/// Runs a text of so many tokens, opens heads, zooms and pans, and prints how long each took, how much memory
/// it needed, and the longest time that the window answered to nothing.
class AttentionSpeed : public QObject {
    Q_OBJECT

public:
    AttentionSpeed(MainWindow& window, int tokens, QObject* parent = nullptr);

signals:
    void finished();

private:
    using Times = std::vector<double>;
    void look();
    void type_text();
    void open_next();
    void pan_all();
    void next_measure();
    void type_letter();
    void report();
    /// Paints the large picture as the screen would show it now; returns milliseconds.
    double painted();

    MainWindow& window_;
    int tokens_;
    enum class Stage { model, run, open, thumbnails, measures, typing, cancelling } stage_ = Stage::model;
    QTimer clock_, heart_;
    QElapsedTimer since_, beat_, since_run_;
    std::map<Stage, double> longest_pause_ms_; ///< that the event loop answered to nothing
    double run_ms_ = 0, engine_ms_ = 0, thumbnails_ms_ = 0, key_ms_ = 0, cancel_ms_ = 0;
    std::uint64_t before_bytes_ = 0, after_bytes_ = 0;
    std::uint64_t peak_bytes_ = 0; ///< until all thumbnails were there
    std::size_t at_ = 0;
    std::map<views::Measure, Times> measure_ms_; ///< heads of other measures, the switch among them first
    std::size_t measure_at_ = 0;
    bool waiting_ = false;
    Times open_ms_, frame_ms_, hover_ms_;
};

} // namespace vitrine::window
