#pragma once
#include <QWidget>

#include "core/base/json.h"
#include "views/attention/attention_pictures.h"
#include "views/shared/figure_canvas.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QSplitter;

namespace vitrine::views {

/// Layer × head thumbnails, and one head large. Its controls are above, the value under the pointer below.
class AttentionPage : public QWidget {
    Q_OBJECT

public:
    explicit AttentionPage(Desk& desk, QWidget* parent = nullptr);

    const AttentionOptions& options() const { return options_; }
    /// Arrangement and options, as a session remembers them.
    Json state() const;
    void restore(const Json& state);
    FigureCanvas* grid_canvas() { return grid_canvas_; }
    FigureCanvas* head_canvas() { return head_canvas_; }
    /// The facts of the shown run, for the inspector.
    const AttentionData& data() const { return data_; }
    /// Only the large head, or both.
    void show_grid(bool on);
    bool grid_shown() const { return grid_wanted_; }

signals:
    void state_changed();

protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void build_controls();
    void arrange();
    void run_changed();
    void redraw();
    void redraw_head();
    void selection_changed();
    void pointed(const QString& line);
    QString selected_line() const;

    Desk& desk_;
    AttentionOptions options_;
    AttentionData data_;
    std::shared_ptr<figure::AttentionGrid> grid_;
    std::shared_ptr<figure::Heatmap> head_;
    Place drawn_place_;
    bool grid_wanted_ = true;
    double grid_share_ = 0.46; ///< of the width

    QWidget* controls_;
    QComboBox* heads_box_;
    QComboBox* scale_box_;
    QCheckBox* sinks_box_;
    QSplitter* splitter_;
    FigureCanvas* grid_canvas_;
    FigureCanvas* head_canvas_;
    QLabel* readout_;
};

} // namespace vitrine::views
