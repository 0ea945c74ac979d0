//! The table of phrases: each in English and in Hindi.

use super::{Language, Words};

macro_rules! words {
    ($($name:ident: $english:literal, $hindi:literal;)*) => {
        impl Words {
            $(pub(crate) const fn $name(self) -> &'static str {
                match self.0 {
                    Language::English => $english,
                    Language::Hindi => $hindi,
                }
            })*
        }

        /// Every phrase in both languages, for the test that none is missing.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $hindi),)*];
    };
}

words! {
    today: "Today", "आज";
    bookings: "Bookings", "बुकिंग";
    walk_in: "New booking", "नई बुकिंग";
    cash: "Cash", "नकद";

    pending: "To confirm", "पुष्टि बाकी";
    confirmed: "Confirmed", "पुष्टि हुई";
    in_progress: "In work", "काम जारी";
    completed: "Done", "पूरा हुआ";
    cancelled: "Cancelled", "रद्द";
    no_show: "Did not come", "नहीं आए";

    confirm: "Confirm booking", "बुकिंग पक्की करें";
    start: "Start work", "काम शुरू करें";
    finish: "Finish work", "काम पूरा करें";
    cancel: "Cancel booking", "बुकिंग रद्द करें";
    say_no_show: "Customer did not come", "ग्राहक नहीं आए";

    paid: "Paid", "भुगतान हुआ";
    unpaid: "Unpaid", "भुगतान बाकी";
    due: "due", "बाकी";
    refunded: "Refunded", "पैसे लौटाए";
    by_cash: "Cash", "नकद";
    by_razorpay: "Razorpay", "Razorpay";

    at_the_shop: "At the shop", "दुकान पर";
    at_home: "At home", "घर पर";
    bays: "Shop", "दुकान";
    crews: "Home visits", "घर की सेवा";
    by_web: "Website", "वेबसाइट";
    by_app: "App", "ऐप";
    by_counter: "Counter", "काउंटर";
    by_phone: "Phone call", "फ़ोन";

    time: "Time", "समय";
    date: "Date", "तारीख";
    place: "Place", "जगह";
    address: "Address", "पता";
    customer: "Customer", "ग्राहक";
    name: "Name", "नाम";
    phone: "Phone", "फ़ोन नंबर";
    email: "E-mail", "ई-मेल";
    vehicle: "Vehicle", "गाड़ी";
    model: "Model", "मॉडल";
    service: "Service", "सेवा";
    services: "Services", "सेवाएँ";
    price: "Price", "कीमत";
    total: "Total", "कुल";
    minutes: "min", "मिनट";
    money: "Money", "पैसे";
    notes: "Notes", "नोट";
    customer_notes: "Customer’s note", "ग्राहक का नोट";
    internal_notes: "Our note (customers do not see it)", "हमारा नोट (ग्राहक को नहीं दिखता)";
    notes_about_customer: "About this customer", "इस ग्राहक के बारे में";
    save_notes: "Save notes", "नोट सहेजें";
    links: "Links for the customer", "ग्राहक के लिंक";
    no_links: "No link opens this booking.", "इस बुकिंग का कोई लिंक नहीं है।";
    may_see: "to see", "देखने का";
    may_pay: "to see and pay", "देखने और चुकाने का";
    may_change: "to see, pay, move and cancel", "देखने, चुकाने और बदलने का";
    link_for: "New link", "नया लिंक";
    make_link: "Make link", "लिंक बनाएँ";
    link_is_shown_once: "This is the new link. It is shown only now: send it to the customer.", "यह नया लिंक है। यह अभी ही दिखेगा: ग्राहक को भेजें।";
    made_by_hand: "made here", "यहाँ बनाया";
    revoke: "Revoke", "बंद करें";
    revoke_all: "Revoke all links", "सभी लिंक बंद करें";
    messages: "Messages", "संदेश";
    no_messages: "Nothing was sent for this booking.", "इस बुकिंग के लिए कुछ नहीं भेजा गया।";
    no_way: "No way to send messages is set up, so customers hear nothing from here.", "संदेश भेजने का कोई तरीका चालू नहीं है, इसलिए ग्राहकों को यहाँ से कुछ नहीं मिलता।";
    ways_are: "Customers hear by the first of these that reaches them:", "ग्राहकों को इनमें से पहले पहुँचने वाले तरीके से संदेश मिलता है:";
    told_created: "Booking received", "बुकिंग मिली";
    told_confirmed: "Booking confirmed", "बुकिंग पक्की हुई";
    told_moved: "Booking moved", "समय बदला";
    told_reminder: "Reminder", "याद दिलाना";
    told_completed: "Work is done", "काम पूरा हुआ";
    told_cancelled: "Booking cancelled", "बुकिंग रद्द हुई";
    told_paid: "Payment received", "भुगतान मिला";
    told_refunded: "Money given back", "पैसे लौटाए";
    told_ways_in: "Account changed", "खाता बदला";
    told_new_device: "New device", "नया डिवाइस";
    told_staff_created: "To the shop: new booking", "दुकान को: नई बुकिंग";
    told_staff_moved: "To the shop: booking moved", "दुकान को: समय बदला";
    told_staff_cancelled: "To the shop: booking cancelled", "दुकान को: बुकिंग रद्द";
    told_staff_refund_failed: "To the shop: refund failed", "दुकान को: रिफ़ंड नहीं हुआ";
    to_be_sent: "To be sent", "भेजना बाकी";
    being_sent: "Being sent", "भेजा जा रहा है";
    sent: "Sent", "भेजा गया";
    delivered: "Delivered", "पहुँच गया";
    was_read: "Read", "पढ़ा गया";
    not_delivered: "Not delivered", "नहीं पहुँचा";
    perhaps_sent: "Perhaps sent", "शायद भेजा गया";
    not_sent: "Not sent", "नहीं भेजा गया";
    send_again: "Send again", "फिर भेजें";
    it_arrived: "It arrived", "पहुँच गया है";
    dealt_with: "Dealt with", "निपटा दिया";
    sent_again_by: "sent again by", "फिर भेजा:";
    dealt_with_by: "dealt with by", "निपटाया:";
    undelivered_count: "messages not delivered", "संदेश नहीं पहुँचे";
    history: "History", "इतिहास";
    print: "Print", "प्रिंट";
    move_booking: "Move booking", "समय बदलें";
    record: "Record", "दर्ज करें";
    in_cash: "cash", "नकद";
    other_visits: "Other visits", "बाकी बुकिंग";
    call: "Call", "फ़ोन करें";
    reason: "Reason", "कारण";
    status: "Status", "स्थिति";
    reference: "Reference", "संदर्भ";
    source: "Booked by", "बुकिंग कहाँ से";

    late: "late", "देर";
    overbooked: "more than fit", "जगह से ज़्यादा";
    nothing_today: "Nothing is booked for this day.", "इस दिन कोई बुकिंग नहीं है।";
    closed: "Closed", "बंद";
    needs_attention: "Needs attention", "ध्यान दें";
    to_confirm_count: "to confirm", "पुष्टि बाकी";
    late_count: "late", "देर से";
    unpaid_count: "done and unpaid", "काम पूरा, भुगतान बाकी";
    failed_refunds_count: "refunds that failed", "रिफ़ंड नहीं हुए";
    mismatches_count: "payments that do not match", "भुगतान मेल नहीं खाते";
    all_well: "Nothing is waiting.", "कुछ बाकी नहीं है।";
    previous_day: "Day before", "पिछला दिन";
    next_day: "Next day", "अगला दिन";
    by_time: "By time", "समय से";
    by_status: "By status", "स्थिति से";

    look_up: "Look up", "खोजें";
    known_customer: "Known customer", "पुराने ग्राहक";
    last_visit: "Last visit", "पिछली बार";
    their_bikes: "Their vehicles", "उनकी गाड़ियाँ";
    choose_model: "Enter the model to see its services and prices.", "सेवाएँ और कीमत देखने के लिए मॉडल लिखें।";
    now: "Now", "अभी";
    book: "Book", "बुक करें";
    book_anyway: "Book it even if the time is full", "समय भरा हो तो भी बुक करें";
    free_times: "Free times near it", "पास के खाली समय";

    was_created: "Booked", "बुकिंग हुई";
    was_moved: "Moved", "समय बदला";
    was_overbooked: "Put into a full time", "भरे समय में रखा";
    notes_changed: "Note changed", "नोट बदला";
    internal_notes_changed: "Our note changed", "हमारा नोट बदला";
    services_changed: "Services changed", "सेवाएँ बदलीं";
    refund_requested: "Refund requested", "रिफ़ंड माँगा";
    refund_failed: "Refund failed", "रिफ़ंड नहीं हुआ";
    payment_mismatch: "A payment of another amount came", "अलग रकम का भुगतान आया";
    disputed: "The customer's bank wants the payment back", "ग्राहक का बैंक भुगतान वापस चाहता है";
    dispute_ended: "The dispute has ended", "विवाद समाप्त हुआ";
    written_off: "A rest was written off", "बची रकम छोड़ दी गई";
    links_revoked: "Links were revoked", "लिंक बंद किए गए";
    by_system: "System", "सिस्टम";
    add_service: "Add service", "सेवा जोड़ें";
    remove: "Remove", "हटाएँ";
    taken: "Taken", "मिला";
    given_back: "Given back", "लौटाया";
    kept: "Kept", "बचा";
    refund: "Refund", "रिफ़ंड";
    changed_meanwhile: "Another user has changed this booking since you opened the page. It is shown as it is now; your change was not made.",
        "पेज खोलने के बाद किसी और ने यह बुकिंग बदली है। अभी की स्थिति दिख रही है; आपका बदलाव नहीं हुआ।";
    time_is_full: "This time is full.", "यह समय भरा है।";
    done: "Saved.", "सहेजा गया।";

    cash_of: "Cash of", "नकद,";
    day_word: "Day", "दिन";
    show_day: "Show day", "दिन दिखाएँ";
    open: "Open", "खुला";
    counted_day: "Closed", "बंद";
    not_counted: "Not counted", "गिना नहीं";
    to_come: "To come", "आने वाला";
    was_not_counted: "This day was not counted. What was taken is in the count of", "यह दिन गिना नहीं गया। उसका नकद इस दिन की गिनती में है:";
    not_yet: "This day has not come yet.", "यह दिन अभी नहीं आया है।";
    no_cash: "No cash was taken. Record cash on the page of a booking, and it appears here.", "नकद नहीं मिला। बुकिंग के पेज पर नकद दर्ज करें, फिर वह यहाँ दिखेगा।";
    booking: "Booking", "बुकिंग";
    when: "When", "कब";
    by: "By", "किसने";
    drawer: "Drawer", "गल्ला";
    left_before: "Left before", "पहले का बचा";
    left_on: "Left on", "बचा, दिन";
    expected: "Expected in the drawer", "गल्ले में होना चाहिए";
    counted: "Counted", "गिना";
    difference: "Difference", "अंतर";
    left_for_change: "Left for change", "छुट्टे के लिए बचा";
    taken_out: "Taken out", "निकाला";
    closed_by: "Closed by", "बंद किया:";
    reason_of_difference: "Reason of the difference:", "अंतर का कारण:";
    admin_counts: "An administrator counts the drawer and closes the day.", "एडमिन गल्ला गिनकर दिन बंद करते हैं।";
    count_drawer: "Count the drawer", "गल्ला गिनें";
    counted_in_rupees: "Counted, in rupees", "गिना, रुपये में";
    all_notes_and_coins: "All notes and coins in the drawer.", "गल्ले के सारे नोट और सिक्के।";
    left_in_rupees: "Left for change, in rupees", "छुट्टे के लिए बचा, रुपये में";
    what_stays: "What stays in the drawer. The rest is taken out.", "जो गल्ले में रहेगा। बाकी निकाला जाएगा।";
    why_different: "Reason of a difference", "अंतर का कारण";
    needed_unless: "Needed if the count is not", "ज़रूरी, अगर गिनती यह नहीं है:";
    close_day: "Close", "बंद करें:";
    closed_stays: "A closed day does not change. What is entered later falls into the next day.", "बंद दिन नहीं बदलता। बाद की प्रविष्टि अगले दिन में जाती है।";
    closed_days: "Closed days", "बंद दिन";
    no_closed_day: "No day is closed yet. A day is closed here once its drawer was counted.", "अभी कोई दिन बंद नहीं है। गल्ला गिनने पर दिन यहाँ बंद होता है।";
    all_closed_days: "All closed days", "सभी बंद दिन";
    was_closed: "Closed. What is entered from now on falls into the next day.", "बंद हुआ। अब की प्रविष्टि अगले दिन में जाएगी।";

    optional: "optional", "ज़रूरी नहीं";
    search: "Search", "खोजें";
    search_bookings: "Name, e-mail, phone, reference, model", "नाम, ई-मेल, फ़ोन, संदर्भ, मॉडल";
    apply: "Apply", "लागू करें";
    first_day: "from", "से";
    last_day: "to", "तक";
    filters_in_use: "Filters in use", "लगे फ़िल्टर";
    clear_all: "Clear all", "सब हटाएँ";
    nothing_matches: "Nothing matches. Clear a filter or search for less.", "कुछ नहीं मिला। कोई फ़िल्टर हटाएँ या कम शब्द खोजें।";
    in_all: "in all", "कुल";
    pages: "Pages", "पन्ने";
    previous_page: "Previous", "पिछला";
    next_page: "Next", "अगला";
    download_csv: "Download CSV", "CSV डाउनलोड करें";
    which_rows: "Which rows", "कौन सी पंक्तियाँ";
    ticked: "Ticked", "चुनी हुई";
    tick: "Tick", "चुनें";
    no_booking: "There is no booking yet. Make the first one, or wait for a customer.", "अभी कोई बुकिंग नहीं है। पहली बुकिंग करें, या ग्राहक का इंतज़ार करें।";
    all: "All", "सभी";
    late_ones: "Late", "देर से";
    upcoming: "Upcoming", "आने वाली";
    any_status: "Any status", "कोई भी स्थिति";
    paid_or_not: "Paid or not", "भुगतान हो या न हो";
    paid_by: "Paid by", "भुगतान का तरीका";
    cash_or_razorpay: "Cash or Razorpay", "नकद या Razorpay";
    any_place: "Any place", "कोई भी जगह";
    any_service: "Any service", "कोई भी सेवा";
    any_source: "Web site, app or shop", "वेबसाइट, ऐप या दुकान";
    created: "Created", "बनी";
    was_so: "Was so already", "पहले से ऐसा था";
    left_as_is: "Changed meanwhile, so left as it is", "इस बीच बदली, इसलिए वैसी ही रही";
    not_possible: "Not possible:", "संभव नहीं:";
    not_found: "Not found", "नहीं मिली";
    back_to_list: "Back to the list", "सूची पर लौटें";
    change_nothing: "Change nothing", "कुछ न बदलें";
    none_ticked: "No booking is ticked. Tick some, or choose all that match.", "कोई बुकिंग नहीं चुनी गई। कुछ चुनें, या मिलने वाली सभी लें।";

    job_card: "Job card", "जॉब कार्ड";
    receipt: "Receipt", "रसीद";
    tag: "Tag", "टैग";
    no_tax_invoice: "This receipt is no tax invoice.", "यह रसीद टैक्स इनवॉइस नहीं है।";
    printed: "Printed", "प्रिंट";
    signature: "Customer’s signature", "ग्राहक के हस्ताक्षर";
    mechanic: "Mechanic", "मिस्त्री";
    work_done: "Work", "काम";
    thanks: "Thank you", "धन्यवाद";
}
