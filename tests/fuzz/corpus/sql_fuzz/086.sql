SELECT paid + 1 FROM s;
