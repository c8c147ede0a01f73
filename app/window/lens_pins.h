#pragma once
// What ties the panels of the Lens page: a click in the grid of most likely tokens pins a token, and the
// panel beside it follows the pinned ones through the layers.
#include "app/window/panel_page.h"

namespace vitrine::window {

class LensPins : public QObject {
    Q_OBJECT

public:
    /// Of a page whose main panel shows `top` of the lens at every position, and whose first panel beside it
    /// follows tokens; the second one tells what adds to them.
    LensPins(views::Desk& desk, PanelPage& page, QObject* parent = nullptr);

    /// The panels of such a page.
    static Panel grid();
    static Panel followed();
    static Panel parts();

    const std::vector<std::int32_t>& pinned() const { return pinned_; }
    /// Pins a token, or lets it go again.
    void toggle(std::int32_t id);
    Json state() const;
    void restore(const Json& state);

signals:
    void state_changed();

private:
    void follow();
    /// Where nothing is pinned: those that lead in some layer at a position.
    std::vector<std::int32_t> leading_at(int position) const;
    figure::PicturePtr paint_grid(const engine::AnalysisRecord& record, const figure::Theme& theme) const;

    views::Desk& desk_;
    PanelPage& page_;
    std::vector<std::int32_t> pinned_;
    QString told_; ///< the analysis of the second panel
};

} // namespace vitrine::window
