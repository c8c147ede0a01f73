#pragma once
// Heads put together by hand: to look at their mean, or to take them out at once.
#include <QObject>
#include <utility>
#include <vector>

namespace vitrine::views {

class HeadSet : public QObject {
    Q_OBJECT

public:
    using Head = std::pair<int, int>; ///< layer, head

    /// In the order in which they came in.
    const std::vector<Head>& all() const { return all_; }
    bool contains(int layer, int head) const;
    void toggle(int layer, int head);
    void set_all(std::vector<Head> heads);
    /// "L1 H2, L5 H0"
    QString names() const;

signals:
    void changed();

private:
    std::vector<Head> all_;
};

} // namespace vitrine::views
