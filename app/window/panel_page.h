#pragma once
// A page of one main picture and up to two beside it.
#include <QWidget>

#include "app/window/analysis_page.h"

class QSplitter;
class QToolButton;

namespace vitrine::window {

/// One panel: a live analysis of what the desk shows, with its controls from the manifest.
struct Panel {
    QStringList ids;                    ///< analyses to choose from
    QStringList results = {};           ///< that are drawn, in this order; empty: all
    AnalysisPage::Painter painter = {}; ///< draws in a way of its own
    Json values = Json::object();       ///< of its parameters, where they differ from the defaults
};

/// The main panel keeps at least half of the page; those beside it stand one above the other, fold away
/// together, and can be made wider and higher. Everything that panels share (selection, what is shown,
/// exports, errors in words) is AnalysisPage's.
class PanelPage : public QWidget {
    Q_OBJECT

public:
    /// A page whose main panel is an analysis. `topic`: of the help.
    PanelPage(Bench& bench, views::Desk& desk, Runner& runner, const QString& topic, const Panel& main,
              const std::vector<Panel>& beside, QWidget* parent = nullptr);
    /// A page whose main panel is a widget of its own.
    PanelPage(Bench& bench, views::Desk& desk, Runner& runner, const QString& topic, QWidget* main,
              const std::vector<Panel>& beside, QWidget* parent = nullptr);

    /// nullptr where the main panel is no analysis.
    AnalysisPage* main() const { return main_; }
    AnalysisPage* beside(std::size_t at) const { return beside_[at]; }
    /// All analyses of the page, the main one first.
    std::vector<AnalysisPage*> panels() const;
    /// The canvas of the main picture; nullptr: it has none.
    views::FigureCanvas* canvas() const;

    /// How the panels are arranged, as a session remembers it. What they show is remembered by themselves.
    virtual Json arrangement() const;
    virtual void arrange(const Json& arrangement);
    /// A widget above all panels.
    void set_header(QWidget* header);
    /// What the first panel beside has of the height unless somebody has arranged it otherwise.
    void set_usual_upper(double share) { usual_upper_ = upper_ = share; }

signals:
    void state_changed();

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void build(QWidget* main, const std::vector<Panel>& beside);
    AnalysisPage* make(const Panel& panel);
    void place();
    void fold(bool away);

    Bench& bench_;
    views::Desk& desk_;
    Runner& runner_;
    QString topic_;
    AnalysisPage* main_ = nullptr;
    QWidget* main_widget_ = nullptr;
    std::vector<AnalysisPage*> beside_;
    QSplitter* across_;
    QSplitter* down_;
    QToolButton* fold_;
    double share_ = 0.6; ///< of the width, that the main panel has
    double usual_upper_ = 0.5;
    double upper_ = 0.5; ///< of the height beside it, that the first panel has
};

} // namespace vitrine::window
